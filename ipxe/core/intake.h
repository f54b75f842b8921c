// SPDX-License-Identifier: MPL-2.0
// What every transport does with the intake of an image (phase2/intake.h).
#pragma once
#include "core/session.h"
#include "phase2/intake.h"

// The seal is verified: says so, and `from` where (" from ..." or ""), plans memory, wakes the other processors. The error of
// core_image_plan.
int core_intake_plan(struct core *core, const struct seal *seal, const char *from);

// Whole chunks go to the other processors and come back. False when nothing moved.
bool core_intake_share(struct core *core, struct intake *in);
