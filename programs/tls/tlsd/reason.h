/* OpenSSL's queue of errors, as the end of a message.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_REASON_H
#define TLSD_REASON_H

/* The words of the last error, and the queue is empty then; "unknown error"
   when there is none. A static string. */
const char *reason_take(void);

#endif
