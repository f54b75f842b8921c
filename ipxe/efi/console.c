// SPDX-License-Identifier: MPL-2.0
// See console.h.
#include "efi/console.h"

#include "base/ansi.h"
#include "efi/efi.h"

#define OUTPUT_MAX 128
#define LEAST_COLUMNS 80 // that whoever draws counts on

static const char *pending = ""; // of an ANSI sequence that a key has begun

static void put_text(void *ctx, const char *text, size_t len)
{
    struct efi_text_output *out = ctx;
    uint16_t buffer[OUTPUT_MAX + 3];
    unsigned n = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c == '\n')
            buffer[n++] = '\r';
        buffer[n++] = c < 0x80 ? c : '?'; // nothing of ours is beyond ASCII
        if (n >= OUTPUT_MAX || i + 1 == len) {
            buffer[n] = 0;
            (void)out->output(out, buffer); // a console that fails has nobody to tell
            n = 0;
        }
    }
}

static void move(void *ctx, unsigned row, unsigned column)
{
    struct efi_text_output *out = ctx;
    (void)out->set_cursor(out, column, row);
}

static void clear(void *ctx)
{
    struct efi_text_output *out = ctx;
    (void)out->clear(out);
}

static void set_attribute(void *ctx, uint8_t attribute)
{
    struct efi_text_output *out = ctx;
    (void)out->set_attribute(out, attribute); // the bits are VGA's
}

static void show_cursor(void *ctx, bool visible)
{
    struct efi_text_output *out = ctx;
    (void)out->enable_cursor(out, visible);
}

void console_write_text(const char *text, size_t len)
{
    static struct ansi ansi;
    const struct ansi_screen calls = { efi_system->con_out, put_text, move, clear, set_attribute, show_cursor };
    if (calls.ctx)
        ansi_write(&ansi, &calls, text, len);
}

void console_size(unsigned rows, unsigned *ret_rows, unsigned *ret_columns)
{
    struct efi_text_output *out = efi_system->con_out;
    size_t best_columns, best_rows, columns, mode_rows;
    if (!out || efi_failed(out->query_mode(out, (size_t)out->mode->mode, &best_columns, &best_rows)))
        return;
    int best = out->mode->mode;
    for (int mode = 0; mode < out->mode->count && best_rows < rows; mode++) {
        if (efi_failed(out->query_mode(out, (size_t)mode, &columns, &mode_rows)) || columns < LEAST_COLUMNS || mode_rows <= best_rows)
            continue;
        best = mode;
        best_rows = mode_rows;
        best_columns = columns;
    }
    if (best != out->mode->mode && efi_failed(out->set_mode(out, (size_t)best)))
        return;
    *ret_rows = (unsigned)best_rows;
    *ret_columns = (unsigned)best_columns;
}

// UEFI 2.10 table 12.7 -> what an ANSI terminal sends behind ESC.
static const char *scan_sequence(uint16_t scan)
{
    switch (scan) {
    case 1: return "[A";
    case 2: return "[B";
    case 3: return "[C";
    case 4: return "[D";
    case 5: return "[H";
    case 6: return "[F";
    case 8: return "[3~";
    case 9: return "[5~";
    case 0xa: return "[6~";
    case 0x12: return "[19~"; // F8, with which PXE servers ask for their menu to be shown
    default: return "";
    }
}

int console_read_key(void)
{
    if (*pending)
        return (uint8_t)*pending++;
    struct efi_text_input *in = efi_system->con_in;
    struct efi_input_key key;
    if (!in || efi_failed(in->read_key(in, &key)))
        return -1;
    if (key.unicode)
        return key.unicode < 0x80 ? key.unicode : -1;
    if (key.scan == 0x17)
        return 0x1b;
    pending = scan_sequence(key.scan);
    return *pending ? 0x1b : -1;
}
