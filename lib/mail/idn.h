/* Internationalized domain names (RFC 5890) as the DNS has them: a label that is
   not ASCII becomes "xn--" and Punycode (RFC 3492). Only that: a U-label is in
   its normal form by definition, and one that is not (capitals beyond ASCII,
   letters in parts) becomes a name that nobody has.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_IDN_H
#define MAIL_IDN_H

#include <stdbool.h>

#include "system/dns_answer.h"

/* A domain in UTF-8; its labels of ASCII stay as they are. -1 with EILSEQ when
   it is no UTF-8, or with ENAMETOOLONG; `ascii` is empty then. */
int idn_to_ascii(const char *domain, char ascii[DNS_NAME]);

/* Whether a text, of any length, is UTF-8 without control characters beyond
   ASCII. */
bool idn_is_utf8(const char *text);

#endif
