// SPDX-License-Identifier: MPL-2.0
// 7-Zip includes <errno.h> for parts that are not compiled; the firmware has no errno.
#pragma once
