# SPDX-License-Identifier: MPL-2.0
# Option ROMs: what a card's flash holds, for BIOS and UEFI (doc/bios.md, "On the card itself"). A BIOS asks a ROM for its own numbers alone,
# and only some look at its list of further cards: so there is a file for each card, bin/VENDORDEVICE.rom, and a name for the usual one of a
# kind K, bin/K.rom, which is the first of CARDS_K. `make` builds the named ones, `make bin/8086100c.rom` another.
# All that a driver of ipxe/drivers/ knows is here (ci/check/rom).

ROM_SIZE := 262144
ROMS := e1000 e1000e igb virtio-net vmxnet3
VENDOR_e1000 := 8086
CARDS_e1000 := 100e 1008 100c 100d 100f 1010 1015 1026 1079
VENDOR_e1000e := 8086
CARDS_e1000e := 10d3
VENDOR_igb := 8086
CARDS_igb := 10c9 10e8 1526 150e 1521 1533 1539
VENDOR_virtio-net := 1af4
CARDS_virtio-net := 1000 1041
VENDOR_vmxnet3 := 15ad
CARDS_vmxnet3 := 07b0
ROM_DRIVERS := bin/signet-nic.efi bin/signet-nic-arm64.efi

# $(call ROM_FILE,KIND,DEVICE)
define ROM_FILE
build/bios/$(VENDOR_$(1))$(2).rom: build/bios/rom.bin build/bios/undionly.bin $(ROM_DRIVERS) config/targets/rom config/targets/rom.mk
	@config/targets/rom $$@ $(VENDOR_$(1)):$(2),$(subst $(eval ) ,$(comma),$(CARDS_$(1))) $(1) build/bios/rom.bin build/bios/undionly.bin $(ROM_SIZE) $(ROM_DRIVERS)
BARE_$(VENDOR_$(1))$(2).rom := build/bios/$(VENDOR_$(1))$(2).rom
ARTEFACTS_ON_REQUEST += $(VENDOR_$(1))$(2).rom
endef
define ROM_NAME
bin/$(1).rom: bin/$(VENDOR_$(1))$(firstword $(CARDS_$(1))).rom
	@ln -sf $$(<F) $$@
endef
$(foreach r,$(ROMS),$(foreach d,$(CARDS_$(r)),$(eval $(call ROM_FILE,$(r),$(d)))))
$(foreach r,$(ROMS),$(eval $(call ROM_NAME,$(r))))
# And one more, for the boot table: a card that is not the first of its kind.
FIRMWARE += $(addprefix bin/,$(addsuffix .rom,$(ROMS) 8086100f))
