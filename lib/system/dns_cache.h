/* Questions to the DNS, each asked once, and what came of them: for programs
   whose next question depends on an answer, or that ask ahead and may never
   need it. All of it has one deadline, which can be moved.

   A name is any text of labels with dots between them and none at the end;
   what cannot be sent (an empty label, one over 63 bytes) is not to be asked.
   Names are the same in any case.
   SPDX-License-Identifier: ISC */
#ifndef SYSTEM_DNS_CACHE_H
#define SYSTEM_DNS_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "system/deadline.h"
#include "system/dns.h"

/* An SPF check asks for 123 at most: 10 terms of an MX or PTR and 10 hosts each,
   or 10 records; the first one; an explanation and its hosts. Local rules may
   ask for as many, and a guess, and 45 may be asked for ahead, in vain. */
enum { DNS_CACHE_ROOM = 416 };

struct dns_finding {
	enum dns_type type;
	bool is_awaited;
	enum dns_result result;   /* DNS_FAILED as long as it is awaited */
	struct dns_answer answer; /* as dns_ask gives it; copy it to walk */
	struct str message;
	char name[DNS_NAME];
};

/* 140 KB, of which only what is used is touched when it begins as zeros. */
struct dns_cache {
	struct dns dns;
	deadline end;
	bool is_late;
	size_t count;
	struct dns_finding findings[DNS_CACHE_ROOM];
};

/* As dns_open, and dns_keep_port; into a struct that is all zero. */
int dns_cache_open(struct dns_cache *, const char *servers, deadline);
void dns_cache_close(struct dns_cache *);

/* From now on this is the deadline; what has failed stays so. */
void dns_cache_extend(struct dns_cache *, deadline);

/* What is known of it; if nothing is, it is asked, unless it is too late, and
   awaited. The finding stays where it is. */
const struct dns_finding *dns_cache_ask(struct dns_cache *, const char *name,
					enum dns_type);

/* Until something more is known. False: it is too late. */
bool dns_cache_wait(struct dns_cache *);

/* The same as dns_cache_ask, and waits for it. */
const struct dns_finding *dns_cache_find(struct dns_cache *, const char *name,
					 enum dns_type);

#endif
