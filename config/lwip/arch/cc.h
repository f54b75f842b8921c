// SPDX-License-Identifier: MPL-2.0
// lwIP's view of the compiler, in the firmware and on the host alike.
#pragma once
#include "base/checksum.h"
#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"
#if __STDC_HOSTED__
#include <sys/types.h>
#else
typedef intptr_t ssize_t;
#endif
#ifndef SSIZE_MAX
#define SSIZE_MAX INTPTR_MAX
#endif

#define LWIP_PLATFORM_DIAG(x)                                                                                          \
    do {                                                                                                               \
    } while (0)
// An assertion of lwIP's that fails is a bug of ours or of its; net/port.c says so and leaves the machine.
void net_port_assert(const char *text, const char *file, int line) __attribute__((noreturn));
#define LWIP_PLATFORM_ASSERT(x) net_port_assert(x, __FILE__, __LINE__)

// A received frame is dropped that lwIP was not made for (patches/lwip).
void net_port_refused(void);
#define LWIP_PLATFORM_REFUSED() net_port_refused()

uint32_t net_port_random(void);
#define LWIP_RAND() net_port_random()
