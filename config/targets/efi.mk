# SPDX-License-Identifier: MPL-2.0
# ipxe.efi and ipxe-arm64.efi: the UEFI applications (PE/COFF by clang and lld-link; doc/efi.md).

# The target claims to be Microsoft's compiler, which makes the libraries look for its headers. No red zone: the
# firmware's interrupt handlers run on our stack. No vectors made of loops: they gain nothing here, and an emulated processor
# takes longer for one than for the words in it. Optimized as a whole when it is linked: a function with one caller becomes part
# of it, which makes the file smaller, and a third of the calls on a frame's way go.
EFI_CFLAGS := -Os -flto -ffreestanding -fno-builtin-bcmp -nostdlibinc -isystem ipxe/base/libc -fno-ms-compatibility \
	-fno-ms-extensions -U_WIN32 -U_WIN64 -fno-stack-protector -fshort-wchar -fno-vectorize -fno-slp-vectorize -ffunction-sections -fdata-sections -fno-common
EFI_NO_VECTORS := /mllvm:-vectorize-loops=false /mllvm:-vectorize-slp=false
EFI_CFLAGS_efi := --target=x86_64-unknown-windows -mno-red-zone -mno-stack-arg-probe
EFI_CFLAGS_efi-arm64 := --target=aarch64-unknown-windows -mno-stack-arg-probe
DIGEST_efi := $(DIGEST_x86)
DIGEST_efi-arm64 := ipxe/crypto/digest_mbedtls.c ipxe/crypto/digest_armv8.c
EFI_SRCS := $(filter-out ipxe/efi/helpers_% ipxe/efi/psci%,$(call not-tests,$(wildcard ipxe/efi/*.c))) $(wildcard ipxe/base/libc/*.c)
# Other processors: by the firmware's MP services, or turned on by ourselves.
HELPERS_efi := ipxe/efi/helpers_mp
HELPERS_efi-arm64 := ipxe/efi/helpers_psci ipxe/efi/psci ipxe/efi/psci_entry
# Base 0 is free in no machine, so the firmware chooses the place. At lld-link's own 5 GiB it would cut high memory in two.

# `make SB_KEY=db.key SB_CERT=db.pem` signs for Secure Boot, behind the embedding: a change of either makes a new file.
build/sign.stamp: FORCE
	@mkdir -p build; echo '$(SB_KEY) $(SB_CERT)' | cmp -s - $@ || echo '$(SB_KEY) $(SB_CERT)' >$@

# $(1) flavor, $(2) machine as lld-link calls it
define EFI_FLAVOR
build/$(1)/%.o: %.c $(SOURCES_STAMP)
	@mkdir -p $$(@D)
	@$$(if $$(V),,echo "  CC[$(1)] $$<";) $(CLANG) $$(COMMON) $$(EFI_CFLAGS) $$(EFI_CFLAGS_$(1)) $$(if $$(filter $(SRC)/%,$$<),-w,$(WARN)) -c -o $$@ $$<
build/$(1)/%.o: %.S
	@mkdir -p $$(@D)
	@$(CLANG) $$(EFI_CFLAGS_$(1)) -Iipxe -ffile-prefix-map=$(CURDIR)=. -MMD -MP -c -o $$@ $$<
build/$(1)/libpure.a: $(patsubst %.c,build/$(1)/%.o,$(PURE_SRCS) $(DIGEST_$(1)))
build/$(1)/libcore.a: $(patsubst %.c,build/$(1)/%.o,$(CORE_SRCS))
build/$(1)/liblwip.a: $(patsubst %.c,build/$(1)/%.o,$(LWIP_SRCS))
build/$(1)/libmbed.a: $(patsubst %.c,build/$(1)/%.o,$(MBEDTLS_SRCS))
build/$(1)/lib%.a:
	@rm -f $$@; llvm-ar rcsD $$@ $$^
build/$(1)/ipxe/base/version.o: build/version.stamp
build/$(1)/ipxe/base/version.o: COMMON += $$(VERSION_FLAGS)
build/$(1)/ipxe.pe: $(patsubst %.c,build/$(1)/%.o,$(EFI_SRCS)) $(patsubst %,build/$(1)/%.o,$(HELPERS_$(1)) ipxe/efi/slot) \
	$(patsubst %,build/$(1)/lib%.a,core pure lwip mbed)
	@lld-link /machine:$(2) /subsystem:efi_application /entry:efi_main /nodefaultlib /opt:ref /opt:icf /base:0 /timestamp:0 \
		$(EFI_NO_VECTORS) \
		/out:$$@ $$^
# An application that the boot table starts from sealed images.
build/$(1)/apptest.efi: build/$(1)/ipxe/efi/apptest/apptest.o $(patsubst %.c,build/$(1)/%.o,$(wildcard ipxe/base/libc/*.c)) build/$(1)/libpure.a
	@lld-link /machine:$(2) /subsystem:efi_application /entry:efi_main /nodefaultlib /opt:ref /timestamp:0 /out:$$@ $$^
endef
$(eval $(call EFI_FLAVOR,efi,x64))
$(eval $(call EFI_FLAVOR,efi-arm64,arm64))

bin/ipxe.efi: build/efi/ipxe.pe
bin/ipxe-arm64.efi: build/efi-arm64/ipxe.pe
bin/ipxe.efi bin/ipxe-arm64.efi: bin/signet $(EMBED_INPUTS) build/sign.stamp $(SB_KEY) $(SB_CERT)
	@mkdir -p bin
	bin/signet embed $(EMBED_FLAGS) $(filter %.pe,$^) -o $@
	$(if $(SB_KEY),sbsign --key $(SB_KEY) --cert $(SB_CERT) --output $@ $@)

FIRMWARE += bin/ipxe.efi bin/ipxe-arm64.efi build/efi/apptest.efi build/efi-arm64/apptest.efi
