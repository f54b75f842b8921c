// SPDX-License-Identifier: MPL-2.0
// What is measured (measure.c) and what is too old (floor.c).
#pragma once
#include "core/session.h"

// --- measured boot (measure.c) ---

// The events of phase2/event.h, each to be measured before what it tells of is used. Nothing happens without a TPM, and a
// failure never ends a boot, see measure.c.
void core_measure_policy(struct core *core); // first of all
void core_measure_script(struct core *core, const char *from, const char *text, size_t len);
void core_measure_text(struct core *core, const char *kind, const char *text);
void core_measure_decision(struct core *core, const char *kind, const struct seal *seal, uint64_t floor);
void core_measure_floor(struct core *core, const char *kind, const char *product, uint64_t floor);
// The image is about to be started with this command line. ERR_TPM: it must not be.
int core_measure_start(struct core *core, const struct seal *seal, const char *cmdline);

// --- the kept anti-rollback floor (floor.c) ---

// Reads it, and raises it by what the last boot has reported. Before any script.
void core_floor_start(struct core *core);
// May this verified image boot? ERR_SEAL_ROLLED_BACK, said and measured.
int core_floor_check(struct core *core, const struct seal *seal);
// The image is about to be started: lets it report success. core_floor_forget when it came back.
void core_floor_expect(struct core *core, const struct seal *seal);
void core_floor_forget(struct core *core);
