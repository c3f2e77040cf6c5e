/* SPDX-License-Identifier: ISC */
#include "report.h"

#include <errno.h>

#include "base/message.h"
#include "base/str.h"

bool report_may_warn(struct report *report)
{
	int cause = errno;

	progress_wipe(&report->progress);
	errno = cause;
	return ++report->warnings <= MOST_SHOWN;
}

void report_unreadable(struct report *report, const char *path)
{
	char shown[SHOWN];

	report->is_incomplete = true;
	if (report_may_warn(report))
		warn("unable to read %s:",
		     printable_text(shown, sizeof shown, path));
}

void report_end(struct report *report)
{
	progress_wipe(&report->progress);
	if (report->warnings > MOST_SHOWN)
		warn("%lu more warnings", report->warnings - MOST_SHOWN);
}
