# SPDX-License-Identifier: MPL-2.0
# Signet's build. `make` builds bin/, `make run` shows a boot, `make check` proves it; see README.md.
#
# One source tree is compiled in several *flavors*, each under build/<flavor>/:
#   tool    the host program bin/signet: optimised, libcrypto for digests and signing
#   test64, test32   unit tests: Mbed TLS, ASan + UBSan
#   fuzz    libFuzzer targets (make fuzz only)
#   bios, efi, efi-arm64   the firmware, freestanding (config/targets/*.mk)
# How a flavor is compiled and linked is written in config/flavors.mk.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

CLANG ?= clang
AR := llvm-ar
CACHE ?= $(if $(SIGNET_CACHE),$(SIGNET_CACHE),build/cache)
SRC := build/sources

VERSION := $(shell cat config/version)
COMMIT := $(shell git describe --always --dirty=+ --exclude '*' 2>/dev/null || echo unknown)

all: bin/signet bin/LICENCES firmware

# ---- sources -------------------------------------------------------------------------------------------

SOURCES_STAMP := $(SRC)/.stamp
# Everything waits for the sources, so what the build needs is looked for before them, and named.
.PHONY: build-tools
build-tools:
	@ci/setup --build
$(SOURCES_STAMP): config/sources.lock ci/fetch-sources $(wildcard patches/*/series patches/*/*.patch) | build-tools
	@mkdir -p $(SRC)
	ci/fetch-sources $(CACHE) $(SRC)
	@touch $@

# Which files of the libraries are compiled is one list for every flavor.
include config/lwip/lwip.mk
include config/mbedtls.mk
include config/7zip.mk

# The pure folders, and the folders of the core (who may include whom: doc/architecture.md, checked by ci/check/layers).
PURE_DIRS := base crypto phase2 proto script image block unpack
CORE_DIRS := core net drivers
not-tests = $(filter-out %_test.c %_fuzz.c %_sim.c,$(1))
PURE_SRCS := $(filter-out ipxe/crypto/digest_%.c,$(call not-tests,$(foreach d,$(PURE_DIRS),$(wildcard ipxe/$(d)/*.c))))
CORE_SRCS := $(call not-tests,$(foreach d,$(CORE_DIRS),$(wildcard ipxe/$(d)/*.c)))
HOST_SRCS := $(filter-out ipxe/host/main.c ipxe/host/readers.c,$(call not-tests,$(wildcard ipxe/host/*.c)))
TOOL_SRCS := $(call not-tests,$(wildcard tools/*.c))
LIBC_SRCS := $(wildcard ipxe/base/libc/*.c)

WARN := -Wall -Wextra -Werror -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wundef -Wwrite-strings -Wno-unused-parameter
INCLUDES := -Iipxe -I. -Iconfig -I$(SRC)/lwip/src/include -Iconfig/lwip -I$(SRC)/mbedtls/include -I$(SRC)/mbedtls/library -I$(SRC)/7zip/C
COMMON := -std=gnu11 -g -MMD -MP -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)=. $(INCLUDES) \
	-DMBEDTLS_CONFIG_FILE='<mbedtls_config.h>'

# ---- script and trust anchors --------------------------------------------------------------------------

# Put into every finished artefact: `make EMBED=my.ipxe TRUST=a.pub,b.pub THRESHOLD=2`. Keys in config/trust/ are
# the anchors of a plain `make`; it is empty here, and an artefact without anchors boots nothing.
comma := ,
EMBED ?= embed/boot.ipxe
TRUST ?= $(wildcard config/trust/*.pub)
TRUST_FILES := $(subst $(comma), ,$(TRUST))
EMBED_FLAGS := --script $(EMBED) $(addprefix --trust ,$(TRUST_FILES)) $(if $(THRESHOLD),--threshold $(THRESHOLD))
EMBED_INPUTS := $(EMBED) $(TRUST_FILES) build/embed.stamp
build/embed.stamp: FORCE
	@mkdir -p build; echo '$(EMBED_FLAGS)' | cmp -s - $@ || echo '$(EMBED_FLAGS)' >$@

# base/version.c alone knows the version and the commit, so that a commit rebuilds one file of each flavor.
build/version.stamp: FORCE
	@mkdir -p build; echo '$(VERSION) $(COMMIT)' | cmp -s - $@ || echo '$(VERSION) $(COMMIT)' >$@
VERSION_FLAGS = -DSIGNET_VERSION='"$(VERSION)"' -DSIGNET_COMMIT='"$(COMMIT)"'

# ---- flavors ----------------------------------------------------------------------------------------

FLAVORS := tool test64 test32 fuzz
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_tool   := -O2 -D_GNU_SOURCE -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS_test64 := -O1 -D_GNU_SOURCE -m64 $(SAN)
CFLAGS_test32 := -O1 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -m32 $(SAN)
CFLAGS_fuzz   := -O1 -D_GNU_SOURCE $(SAN) -fsanitize=fuzzer-no-link
DIGEST_tool   := ipxe/crypto/digest_openssl.c $(if $(filter x86_64,$(shell uname -m)),ipxe/crypto/digest_x86.c ipxe/crypto/digest_x86_two.c)
DIGEST_x86    := ipxe/crypto/digest_mbedtls.c ipxe/crypto/digest_x86.c
DIGEST_test64 := $(DIGEST_x86) ipxe/crypto/digest_x86_two.c
DIGEST_test32 := $(DIGEST_test64)
DIGEST_fuzz   := $(DIGEST_x86)

$(foreach f,$(FLAVORS),$(eval PLATFORM_$(f) := $(HOST_SRCS)))
# Those of the firmware, and then the rules for all of them.
include $(wildcard config/targets/*.mk)
include config/flavors.mk
firmware: $(FIRMWARE)

# Sources lie in a folder that make creates: their objects need an explicit wait for the fetch.
$(SRC)/%.c: $(SOURCES_STAMP) ;
FORCE:

# ---- the host program ----------------------------------------------------------------------------------

# The notices that go with the binaries, from the libraries' own files.
bin/LICENCES: LICENSE $(SOURCES_STAMP)
	@mkdir -p bin
	@{ echo 'Signet is under the Mozilla Public License 2.0. The firmware holds lwIP and Mbed TLS as well (the latter under'; \
	   echo 'the Apache License 2.0, of the two that it offers), and the BIOS files the decoder of LZMA from 7-Zip (LzmaDec.c and'; \
	   echo 'Bra86.c by Igor Pavlov, in the public domain). Their notices, and the texts of the licences:'; \
	   printf '\n==== Signet ====\n\n'; cat LICENSE; \
	   printf '\n==== lwIP ====\n\n'; cat $(SRC)/lwip/COPYING; \
	   printf '\n==== Mbed TLS ====\n\n'; cat $(SRC)/mbedtls/LICENSE; } >$@
build/tool/tools/licences.o build/test64/tools/licences.o: bin/LICENCES

bin/signet: $(patsubst %.c,build/tool/%.o,$(TOOL_SRCS)) build/tool/tools/licences.o build/tool/libpure.a build/tool/libmbed.a
	@mkdir -p bin
	$(CLANG) -pie -Wl,-z,relro,-z,now -o $@ $^ -lcrypto -lz

# The core as a Linux process on a tap device, for tests (ipxe/host/main.c).
build/test64/signet-host: build/test64/ipxe/host/main.o $(LIBS_test64)
	@$(CLANG) $(CFLAGS_test64) -o $@ $< -Wl,--start-group $(LIBS_test64) -Wl,--end-group
# Every reader of an image over a file, for ci/check/forged.
build/test64/readers: build/test64/ipxe/host/readers.o $(LIBS_test64)
	@$(CLANG) $(CFLAGS_test64) -Wl,--wrap=calloc -o $@ $< -Wl,--start-group $(LIBS_test64) -Wl,--end-group
build/tool/signet-host: build/tool/ipxe/host/main.o $(LIBS_tool)
	@$(CLANG) $(CFLAGS_tool) -o $@ $< -Wl,--start-group $(LIBS_tool) -Wl,--end-group -lcrypto

# ---- tests ---------------------------------------------------------------------------------------------

UNIT_SRCS := $(wildcard ipxe/*/*_test.c ipxe/*/*/*_test.c tools/*_test.c)
SIM_SRCS := $(wildcard ipxe/*/*_sim.c)
FUZZ_SRCS := $(wildcard ipxe/*/*_fuzz.c tools/*_fuzz.c)
UNIT64 := $(patsubst %.c,build/test64/%,$(UNIT_SRCS))
UNIT32 := $(patsubst %.c,build/test32/%,$(UNIT_SRCS))
SIMS := $(patsubst %.c,build/test64/%,$(SIM_SRCS))
REPLAY := $(patsubst %_fuzz.c,build/test64/%_replay,$(FUZZ_SRCS))
FUZZERS := $(patsubst %_fuzz.c,build/fuzz/%_fuzz,$(FUZZ_SRCS))

# A tool's test links the tool's own objects (all but main.c) besides the libraries.
TOOL_TEST_SRCS := $(filter-out tools/main.c,$(TOOL_SRCS))
define LINK_TEST
build/$(1)/ipxe/%_test: build/$(1)/ipxe/%_test.o $$(LIBS_$(1))
	@$(CLANG) $$(CFLAGS_$(1)) $$(LINK_EXTRA) -o $$@ $$< -Wl,--start-group $$(LIBS_$(1)) -Wl,--end-group
build/$(1)/ipxe/%_sim: build/$(1)/ipxe/%_sim.o $$(LIBS_$(1))
	@$(CLANG) $$(CFLAGS_$(1)) -o $$@ $$< -Wl,--start-group $$(LIBS_$(1)) -Wl,--end-group
endef
$(foreach f,test64 test32,$(eval $(call LINK_TEST,$(f))))
# Mbed TLS's allocations fail in turn where the whole core runs (host/testworld.h).
$(foreach f,test64 test32,$(patsubst %.c,build/$(f)/%,$(filter-out ipxe/host/net_% %/boots_test.c %/strangers_test.c %/nbp_calls_test.c,$(wildcard ipxe/host/*_test.c)))): LINK_EXTRA := -Wl,--wrap=calloc
build/test64/tools/%_test: build/test64/tools/%_test.o $(patsubst %.c,build/test64/%.o,$(TOOL_TEST_SRCS)) $(LIBS_test64)
	@$(CLANG) $(CFLAGS_test64) -o $@ $^ -lcrypto -lz
# The host program once more, with sanitizers: ci/check/cli-sanitized gives it the bad input.
build/test64/signet: $(patsubst %.c,build/test64/%.o,$(TOOL_SRCS)) build/test64/tools/licences.o build/test64/libpure.a build/test64/libmbed.a
	@$(CLANG) $(CFLAGS_test64) -o $@ -Wl,--start-group $^ -Wl,--end-group -lcrypto -lz
build/test64/%_replay.o: %_fuzz.c $(SOURCES_STAMP)
	@mkdir -p $(@D)
	@$(CLANG) $(COMMON) $(CFLAGS_test64) $(WARN) -DFUZZ_REPLAY -c -o $@ $<
build/test64/%_replay: build/test64/%_replay.o $(LIBS_test64)
	@$(CLANG) $(CFLAGS_test64) -o $@ $< -Wl,--start-group $(LIBS_test64) -Wl,--end-group
build/fuzz/%_fuzz: build/fuzz/%_fuzz.o $(LIBS_fuzz)
	@$(CLANG) $(CFLAGS_fuzz) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(LIBS_fuzz) -Wl,--end-group

unit-tests-64: build/test64/signet $(UNIT64)
unit-tests: unit-tests-64 $(filter-out build/test32/tools/%,$(UNIT32))
sim-tests: $(SIMS) build/test64/signet-host build/test64/readers
replays: $(REPLAY)
fuzzers: $(FUZZERS)

setup:
	@ci/setup

# `make check` is the whole proof; check-quick leaves out QEMU and second times; check-large has the rows of gigabytes, and repeats.
check: setup
	@$(MAKE) --no-print-directory -j$$(nproc) all unit-tests sim-tests replays
	@ci/check/all
check-quick: setup
	@$(MAKE) --no-print-directory -j$$(nproc) all unit-tests-64 build/test32/ipxe/base/fmt_test sim-tests replays
	@ci/check/all --quick
check-large: setup
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@ci/check/all --large

run: setup
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@ci/qemu/run-demo

FUZZ_SECONDS ?= 60
fuzz: setup
	@$(MAKE) --no-print-directory -j$$(nproc) fuzzers
	@ci/check/fuzz $(FUZZ_SECONDS) $(FUZZERS)

bench: setup
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@ci/qemu/bench

clean:
	rm -rf build/tool build/test64 build/test32 build/fuzz build/bios build/efi build/efi-arm64 build/usb bin
distclean:
	rm -rf build bin

.PHONY: all firmware setup check check-quick check-large run fuzz bench clean distclean unit-tests unit-tests-64 sim-tests replays fuzzers FORCE

-include $(shell find build -path build/sources -prune -o -path build/cache -prune -o -name '*.d' -type f -print 2>/dev/null)
