/* What has been found about a login.
   SPDX-License-Identifier: ISC */
#ifndef VERDICT_H
#define VERDICT_H

enum verdict {
	ACCEPTED,
	UNKNOWN_LOGIN,
	BAD_PASSWORD,
	EXPIRED,
	MALFORMED,
};

#endif
