// SPDX-License-Identifier: MPL-2.0
#include "base/err.h"

#include "base/test.h"

TEST(codes_are_distinct_and_well_formed)
{
    for (int a = 1; a < (int)ERR_ORDINAL_COUNT; a++) {
        const char *code = err_code(-a);
        CHECK(strlen(code) == 3, code[0] >= 'A', code[0] <= 'Z');
        CHECK(err_text(-a)[0] != '\0');
        for (int b = 1; b < a; b++)
            CHECK(strcmp(code, err_code(-b)) != 0);
    }
}

TEST(stable_ones)
{
    // Printed on consoles and looked up in doc/errors.md: these never change.
    CHECK_STR(err_code(ERR_SEAL_SIGNATURE), "S09");
    CHECK_STR(err_code(ERR_SEAL_NO_TRUST), "S11");
    CHECK_STR(err_code(ERR_INTERNAL), "G10");
    CHECK_STR(err_code(0), "OK");
    CHECK_EQ(err_group(ERR_SEAL_SIGNATURE), 'S');
    CHECK_EQ(err_group(-100000), 'G');
}

TEST(numbers_out_of_the_list)
{
    CHECK_STR(err_code(1), "G10");
    CHECK_STR(err_code(-100000), "G10");
    CHECK_STR(err_text(-(int)ERR_ORDINAL_COUNT), err_text(ERR_INTERNAL));
}

TEST_MAIN(T(codes_are_distinct_and_well_formed), T(stable_ones), T(numbers_out_of_the_list))
