/* argv0: runs a program under another name, for those that look at their 0th
   argument. It has no options: whatever comes first is the program.

   SPDX-License-Identifier: ISC */

#include "base/message.h"
#include "system/process.h"

static const char synopsis[] = "argv0 realname program [ arg ... ]";

int main(int argc, char **argv)
{
	program_name = "argv0";
	if (argc < 3) die_usage(synopsis);
	process_run_next_as(argv[1], argv + 2);
}
