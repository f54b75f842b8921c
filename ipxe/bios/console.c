// SPDX-License-Identifier: MPL-2.0
// Console: INT 10h and INT 16h, and COM1 beside them when there is a UART. A BIOS that redirects its own console to
// COM1 (SeaBIOS without a display, server boards) would show everything twice; that is found out by trying.
#include "bios/console.h"

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
#define SCAN_F8 0x42
#define KEY_ESCAPE 0x1b

static bool serial;

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

void bios_console_write(const char *text, size_t len)
{
    char line[128];
    size_t n = 0;
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
        if (serial) {
            if (text[i] == '\n')
                uart_put('\r');
            uart_put((uint8_t)text[i]);
        }
    }
    screen(line, n);
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

int bios_console_getkey(void)
{
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
    return (uint8_t)(regs.eax >> 8) == SCAN_F8 ? KEY_ESCAPE : -1; // keys without a character: F8 is PXE's for a menu
}
