// SPDX-License-Identifier: MPL-2.0
// See application.h. An application that ends is unloaded by the firmware (UEFI 2.10, 7.4), so its handle is not touched
// any more afterwards.
#include "efi/boot/application.h"

#include "efi/efi.h"
#include "efi/cards/nic.h"
#include "efi/boot/start.h"

int application_run(const struct platform_boot *boot)
{
    struct pe_image pe;
    efi_handle application;
    int err = start_inspect(boot, &pe);
    if (!err)
        err = start_load(boot, boot->cmdline, &application);
    if (err)
        return err;
    nic_lend();
    efi_status status = efi_boot->start_image(application, NULL, NULL);
    (void)efi_boot->set_watchdog(0, 0, 0, NULL); // it may have set one for itself
    nic_resume();
    start_say_status("the application ended", status);
    return efi_failed(status) ? ERR_BOOT_STATUS : 0;
}
