// SPDX-License-Identifier: MPL-2.0
// Where everything of nbptest lies: below 64 KiB code, data and stack; behind that what it hands to PXE, and then what it fills.
#pragma once

#define NBPTEST_BASE 0x7c00
#define NBPTEST_STACK_LOW 0xe000 // code and variables end below this
#define NBPTEST_STACK_TOP 0xfff0
#define BLOCK_AT 0x10000    // the parameter block of a call
#define HOOK_AT 0x10800     // code that interrupt 15h leads to
#define BUFFER_AT 0x11000   // what a call reads from or writes to
#define BUFFER_SIZE 0x4000
#define SECOND_AT 0x15000   // another one, for what is compared with it
#define FILL_AT 0x20000     // base memory from here on is filled
#define FILL_LOW_AT 0x500   // and so is it from here on, to NBPTEST_BASE
#define READ_FILE_AT 0xbe0000 // where TFTP_READ_FILE writes to: the file lies across 12 MiB
#define READ_FILE_SIZE 0x100000

#define REGISTERS 10 // that a call has to keep: EBX ECX EDX ESI EDI EBP DS ES FS GS
