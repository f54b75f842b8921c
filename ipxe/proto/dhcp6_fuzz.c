// SPDX-License-Identifier: MPL-2.0
#include "proto/dhcp6.h"

#include "base/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dhcp6_lease lease;
    if (dhcp6_lease_read(data, size, &lease) != 0)
        return 0;
    if (lease.dns_count > DHCP6_DNS_MAX || strnlen(lease.boot_url, sizeof lease.boot_url) == sizeof lease.boot_url ||
        strnlen(lease.search, sizeof lease.search) == sizeof lease.search)
        __builtin_trap();
    return 0;
}
