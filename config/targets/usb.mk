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
bin/usb.img: build/usb/bare.img bin/signet $(EMBED_INPUTS) build/sign.stamp $(SB_KEY) $(SB_CERT)
	@mkdir -p bin
	bin/signet embed $(EMBED_FLAGS) $< -o $@
	$(if $(SB_KEY),config/targets/usb-sign $@ $(SB_KEY) $(SB_CERT))

FIRMWARE += bin/usb.img
