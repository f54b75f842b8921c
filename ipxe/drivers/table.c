// SPDX-License-Identifier: MPL-2.0
// The native drivers, a row each.
#include "drivers/bind.h"

#include "drivers/e1000.h"
#include "drivers/virtio_net.h"
#include "drivers/vmxnet3.h"

const struct nic_driver *const nic_drivers[] = {
    &e1000_driver,
    &igb_driver,
    &virtio_net_driver,
    &vmxnet3_driver,
};
const size_t nic_driver_count = ARRAY_SIZE(nic_drivers);
