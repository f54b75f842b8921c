// SPDX-License-Identifier: MPL-2.0
// Console: INT 10h and INT 16h, and COM1 beside them when there is a UART. A BIOS that redirects its own console to
// COM1 (SeaBIOS without a display, server boards) would show everything twice; that is found out by trying.
#include "bios/console.h"

#include "base/ansi.h"
#include "base/fmt.h"
#include "bios/away.h"
#include "bios/clock.h"
#include "bios/layout.h"
#include "bios/ports.h"
#include "options.h"
#include "real/real.h"

#define COM1 0x3f8
#define UART_DATA 0
#define UART_INTERRUPTS 1
#define UART_DIVISOR_LOW 0
#define UART_DIVISOR_HIGH 1
#define UART_FIFO 2
#define UART_LINE 3
#define UART_MODEM 4
#define UART_STATUS 5
#define UART_SCRATCH 7
#define STATUS_RECEIVED 0x01
#define STATUS_EMPTY 0x20
#define MODEM_LOOP 0x10
#define UART_WAIT_US 20000 // a byte takes 87

#define BDA_KEY_HEAD 0x41a
#define BDA_KEY_TAIL 0x41c
#define BDA_COLUMNS 0x44a
#define BDA_CURSOR 0x450 // column, then row, of the first page
#define BDA_LAST_ROW 0x484
#define KEY_ESCAPE 0x1b
#define CURSOR_LINES 0x0607 // first and last of a cell, as text modes begin with
#define CURSOR_HIDDEN 0x2000

static bool serial;
static struct ansi ansi;
static uint8_t colour = ANSI_PLAIN;
static const char *pending = ""; // of a sequence that a key has begun

static bool uart_present(void)
{
    for (int i = 0; i < 2; i++) {
        uint8_t probe = i ? 0x5a : 0xa5;
        out8(COM1 + UART_SCRATCH, probe);
        if (in8(COM1 + UART_SCRATCH) != probe)
            return false;
    }
    return in8(COM1 + UART_STATUS) != 0xff;
}

static void screen(const char *text, size_t len)
{
    while (len > 0 && !away()) {
        size_t n = MIN(len, (size_t)BOUNCE_SIZE - 1);
        uint8_t *bounce = low_memory(BOUNCE);
        memcpy(bounce, text, n);
        bounce[n] = 0;
        bios_print(bounce);
        text += n;
        len -= n;
    }
}

// True when what goes to INT 10h comes out at COM1: with the UART looped back to itself it would be received.
static bool bios_redirects(void)
{
    uint8_t modem = in8(COM1 + UART_MODEM);
    while (in8(COM1 + UART_STATUS) & STATUS_RECEIVED)
        in8(COM1 + UART_DATA);
    out8(COM1 + UART_MODEM, modem | MODEM_LOOP);
    // Blanks, since they do not show; several, since SeaBIOS holds the last character back until more comes.
    static const char probe[] = "\r\n    \r";
    screen(probe, sizeof probe - 1);
    uint64_t start = clock_us();
    bool heard = false;
    while (!heard && clock_us() - start < 2000)
        heard = (in8(COM1 + UART_STATUS) & STATUS_RECEIVED) != 0;
    out8(COM1 + UART_MODEM, modem);
    while (in8(COM1 + UART_STATUS) & STATUS_RECEIVED)
        in8(COM1 + UART_DATA);
    return heard;
}

void bios_console_resume(void)
{
    if (!serial)
        return;
    out8(COM1 + UART_LINE, 0x03); // 8N1
    out8(COM1 + UART_INTERRUPTS, 0);
    out8(COM1 + UART_LINE, 0x83); // divisor visible
    out8(COM1 + UART_DIVISOR_LOW, 1); // 115200
    out8(COM1 + UART_DIVISOR_HIGH, 0);
    out8(COM1 + UART_LINE, 0x03);
    out8(COM1 + UART_FIFO, 0x07);
    out8(COM1 + UART_MODEM, 0x03);
}

void bios_console_init(void)
{
    serial = false;
    if (!CONSOLE_SERIAL || !uart_present() || bios_redirects())
        return;
    serial = true;
    bios_console_resume();
}

static void uart_put(uint8_t byte)
{
    uint64_t start = clock_us();
    while (!(in8(COM1 + UART_STATUS) & STATUS_EMPTY))
        if (clock_us() - start > UART_WAIT_US) {
            serial = false; // a UART that does not send would slow everything down
            return;
        }
    out8(COM1 + UART_DATA, byte);
}

// INT 10h; the screen's first page.
static void video(uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    struct bios_regs regs = { .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx };
    if (!away())
        bios_call(&regs, 0x10);
}

// Blanks a part of the screen in the colour, which what is written over it by teletype keeps.
static void paint(unsigned row, unsigned column, unsigned last_row, unsigned last_column)
{
    video(0x0600, (uint32_t)colour << 8, row << 8 | column, last_row << 8 | last_column);
}

static unsigned last_column(void)
{
    return *(volatile uint16_t *)low_memory(BDA_COLUMNS) - 1u;
}

static void screen_text(void *ctx, const char *text, size_t len)
{
    char line[128];
    size_t n = 0;
    if (colour != ANSI_PLAIN) {
        const volatile uint8_t *cursor = low_memory(BDA_CURSOR);
        paint(cursor[1], cursor[0], cursor[1], MIN(cursor[0] + (unsigned)len - 1, last_column()));
    }
    for (size_t i = 0; i < len; i++) {
        if (n + 2 > sizeof line) {
            screen(line, n);
            n = 0;
        }
        if (text[i] == '\n')
            line[n++] = '\r';
        // NUL would end the text on its way through base memory.
        if (text[i] != 0)
            line[n++] = text[i];
    }
    screen(line, n);
}

static void screen_move(void *ctx, unsigned row, unsigned column)
{
    video(0x0200, 0, 0, MIN(row, UINT8_MAX) << 8 | MIN(column, UINT8_MAX));
}

static void screen_clear(void *ctx)
{
    uint8_t last_row = *(volatile uint8_t *)low_memory(BDA_LAST_ROW);
    paint(0, 0, last_row, last_column());
    screen_move(ctx, 0, 0);
}

static void screen_attribute(void *ctx, uint8_t attribute)
{
    colour = attribute;
}

static void screen_cursor(void *ctx, bool visible)
{
    video(0x0100, 0, visible ? CURSOR_LINES : CURSOR_HIDDEN, 0);
}

void bios_console_write(const char *text, size_t len)
{
    static const struct ansi_screen calls = { NULL, screen_text, screen_move, screen_clear, screen_attribute, screen_cursor };
    for (size_t i = 0; serial && i < len; i++) {
        if (text[i] == '\n')
            uart_put('\r');
        uart_put((uint8_t)text[i]);
    }
    ansi_write(&ansi, &calls, text, len);
}

void bios_say(const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    fmt_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bios_console_write(text, strlen(text));
}

// Scan code -> what a VT220 sends behind ESC. F8 is PXE's for a menu.
static const char *scan_sequence(uint8_t scan)
{
    switch (scan) {
    case 0x42: return "[19~";
    case 0x47: return "[H";
    case 0x48: return "[A";
    case 0x49: return "[5~";
    case 0x4b: return "[D";
    case 0x4d: return "[C";
    case 0x4f: return "[F";
    case 0x50: return "[B";
    case 0x51: return "[6~";
    case 0x53: return "[3~";
    default: return "";
    }
}

int bios_console_getkey(void)
{
    if (*pending)
        return (uint8_t)*pending++;
    if (serial && (in8(COM1 + UART_STATUS) & STATUS_RECEIVED))
        return in8(COM1 + UART_DATA);
    // The keyboard's ring in the BIOS data area shows without a call whether there is anything to ask for.
    const volatile uint16_t *head = low_memory(BDA_KEY_HEAD), *tail = low_memory(BDA_KEY_TAIL);
    if (*head == *tail)
        return -1;
    struct bios_regs regs = { .eax = 0x1100 };
    bios_call(&regs, 0x16);
    if (regs.flags & 0x40) // ZF: none after all
        return -1;
    regs = (struct bios_regs){ .eax = 0x1000 };
    bios_call(&regs, 0x16);
    uint8_t key = (uint8_t)regs.eax;
    if (key != 0 && key != 0xe0)
        return key;
    pending = scan_sequence((uint8_t)(regs.eax >> 8));
    return *pending ? KEY_ESCAPE : -1;
}
