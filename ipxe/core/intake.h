// SPDX-License-Identifier: MPL-2.0
// What every transport does with the intake of an image (phase2/intake.h).
#pragma once
#include "core/session.h"
#include "phase2/intake.h"

// The seal is verified: says so, and `from` where (" from ..." or ""), plans memory, wakes the other processors. The error of
// core_image_plan.
int core_intake_plan(struct core *core, const struct seal *seal, const char *from);

// The list is verified, and nothing of the payload is on its way: chunks that are in memory since another source failed, or on a disk in
// a copy that is kept, are given to `judge` (intake_local), and how much of the image that was is said. 0 or ERR_CANCELLED.
int core_intake_reuse(struct core *core, const struct intake *in, core_keep_judge *judge, void *ctx);

// Whole chunks go to the other processors and come back. False when nothing moved.
bool core_intake_share(struct core *core, struct intake *in);
