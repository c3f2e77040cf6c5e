/* queue-discard: the end of a chain that leads nowhere: it takes every message
   that is one, and throws it away. Not /bin/true, which would take half a message
   of a client that went away for a whole one. For tests of what stands in front of
   it, for measurements, and for addresses that nobody reads.
   SPDX-License-Identifier: ISC */

#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "mail/stage.h"

static const char synopsis[] = "queue-discard";

int main(int argc, char **argv)
{
	struct stage stage = { 0 };
	enum queue_exit_code code;

	program_name = "queue-discard";
	while (option_next(argc, argv, "", synopsis) != -1) continue;
	if (argv[optind]) die_usage(synopsis);
	stage_start();
	code = stage_take(&stage);
	if (code == QUEUE_DONE) stage_log(&stage, "discarded", NULL);
	return (int)code;
}
