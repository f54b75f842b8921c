# SPDX-License-Identifier: MPL-2.0
# ipxe.efi and ipxe-arm64.efi: the UEFI applications (PE/COFF by clang and lld-link; doc/efi.md).

FLAVORS += efi efi-arm64
PE_FLAVORS := efi efi-arm64
MACHINE_efi := x64
MACHINE_efi-arm64 := arm64
# The target claims to be Microsoft's compiler, which makes the libraries look for its headers. No red zone: the
# firmware's interrupt handlers run on our stack. No vectors made of loops: they gain nothing here, and an emulated processor
# takes longer for one than for the words in it. Optimized as a whole when it is linked: a function with one caller becomes part
# of it, which makes the file smaller, and a third of the calls on a frame's way go.
EFI_CFLAGS := -Os -flto -ffreestanding -fno-builtin-bcmp -nostdlibinc -isystem ipxe/base/libc -fno-ms-compatibility \
	-fno-ms-extensions -U_WIN32 -U_WIN64 -fno-stack-protector -fshort-wchar -fno-vectorize -fno-slp-vectorize -ffunction-sections -fdata-sections -fno-common -DPXE_SERVICES=0
ASFLAGS_efi := --target=x86_64-unknown-windows -mno-red-zone -mno-stack-arg-probe
ASFLAGS_efi-arm64 := --target=aarch64-unknown-windows -mno-stack-arg-probe
CFLAGS_efi := $(EFI_CFLAGS) $(ASFLAGS_efi)
CFLAGS_efi-arm64 := $(EFI_CFLAGS) $(ASFLAGS_efi-arm64)
DIGEST_efi := $(DIGEST_x86)
DIGEST_efi-arm64 := ipxe/crypto/digest_mbedtls.c ipxe/crypto/digest_armv8.c

PE_PROGRAMS := ipxe.pe
FILES_ipxe.pe := $(call not-tests,$(wildcard $(addsuffix /*.c,ipxe/efi $(addprefix ipxe/efi/,boot cards disks)))) \
	ipxe/efi/processors/helpers.c $(LIBC_SRCS)
# Other processors: by the firmware's MP services, or turned on by ourselves.
FILES_ipxe.pe_efi := ipxe/efi/processors/helpers_mp.c ipxe/efi/slot.S
FILES_ipxe.pe_efi-arm64 := ipxe/efi/processors/helpers_psci.c ipxe/efi/processors/psci.c ipxe/efi/processors/psci_entry.S ipxe/efi/slot.S
ARCHIVES_ipxe.pe := core pure lwip mbed
# Base 0 is free in no machine, so the firmware chooses the place. At lld-link's own 5 GiB it would cut high memory in two.
LDFLAGS_ipxe.pe := /subsystem:efi_application /entry:efi_main /opt:icf /base:0 \
	/mllvm:-vectorize-loops=false /mllvm:-vectorize-slp=false
ARTEFACTS += ipxe.efi ipxe-arm64.efi
BARE_ipxe.efi := build/efi/ipxe.pe
BARE_ipxe-arm64.efi := build/efi-arm64/ipxe.pe
SIGN_ipxe.efi = sbsign --key $(SB_KEY) --cert $(SB_CERT) --output $@ $@
SIGN_ipxe-arm64.efi = $(SIGN_ipxe.efi)

# The driver of network cards, for `load` in the firmware's shell and for option ROMs (doc/efi.md, "The driver"): no core in it.
PE_PROGRAMS += signet-nic.pe
FILES_signet-nic.pe := $(call not-tests,$(wildcard ipxe/efi/driver/*.c ipxe/drivers/*.c)) $(addprefix ipxe/efi/,efi.c clock.c heap.c cards/pci.c) $(LIBC_SRCS)
ARCHIVES_signet-nic.pe := pure
LDFLAGS_signet-nic.pe := /subsystem:efi_boot_service_driver /entry:efi_main /opt:icf /base:0 \
	/mllvm:-vectorize-loops=false /mllvm:-vectorize-slp=false
bin/signet-nic.efi: build/efi/signet-nic.pe
bin/signet-nic-arm64.efi: build/efi-arm64/signet-nic.pe
bin/signet-nic.efi bin/signet-nic-arm64.efi: build/sign.stamp $(SB_KEY) $(SB_CERT)
	@mkdir -p bin
	cp $(filter %.pe,$^) $@
	$(if $(SB_KEY),$(SIGN_ipxe.efi))
FIRMWARE += bin/signet-nic.efi bin/signet-nic-arm64.efi

# An application that the boot table starts from sealed images.
PE_PROGRAMS += apptest.efi
FILES_apptest.efi := ipxe/efi/apptest/apptest.c $(LIBC_SRCS)
ARCHIVES_apptest.efi := pure
LDFLAGS_apptest.efi := /subsystem:efi_application /entry:efi_main
FIRMWARE += build/efi/apptest.efi build/efi-arm64/apptest.efi
