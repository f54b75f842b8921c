// SPDX-License-Identifier: MPL-2.0
// lwIP includes <stdio.h> for checks that are compiled out; the firmware has no standard streams.
#pragma once
