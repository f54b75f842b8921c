// SPDX-License-Identifier: MPL-2.0
// The only file that is compiled with the version and the commit on its command line.
#include "base/version.h"

const char signet_version[] = SIGNET_VERSION;
const char signet_commit[] = SIGNET_COMMIT;
const char signet_build[] = "Signet " SIGNET_VERSION " (" SIGNET_COMMIT ")";
