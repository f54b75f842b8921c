# SPDX-License-Identifier: MPL-2.0
# usb.img: one disk image for BIOS and UEFI, to be written to a stick (doc/howto-usb.md).

# Room for a kernel and an initrd of the usual size, and a few seconds of dd; `make USB_MIB=1024` for more. In bin/ it takes
# a few MiB: the rest is a hole.
USB_MIB ?= 128
build/usb.stamp: FORCE
	@mkdir -p build; echo '$(USB_MIB)' | cmp -s - $@ || echo '$(USB_MIB)' >$@

build/usb/bare.img: config/targets/usb-image config/targets/usb.txt build/usb.stamp bin/signet bin/mbr.bin build/bios/bootarea.bare \
		build/efi/ipxe.pe build/efi-arm64/ipxe.pe
	@mkdir -p $(@D)
	$< $@ $(USB_MIB)
ARTEFACTS += usb.img
BARE_usb.img := build/usb/bare.img
SIGN_usb.img = config/targets/usb-sign $@ $(SB_KEY) $(SB_CERT)
