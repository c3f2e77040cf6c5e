/* Those of SPF's mechanisms that ask the DNS (RFC 7208 section 5): a, mx, ptr
   and exists, and the macro %{p}, which is ptr's procedure. All hosts of an MX
   or PTR answer are asked for at once, and what matches first decides. Nothing
   is counted here, but that an MX may have ten records.

   An address record is of the client's family, or not asked for.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_SPF_MECHANISM_H
#define MAIL_SPF_MECHANISM_H

#include "system/dns_cache.h"
#include "system/net.h"

enum spf_match {
	SPF_MATCHES,
	SPF_DIFFERS,
	SPF_VOID, /* differs: there is no such name, or no such record */
	SPF_LOST, /* nobody knows, now */
	SPF_TOO_MANY,
};

/* Has one of the name's addresses the client's first `prefix` bits? */
enum spf_match spf_match_a(struct dns_cache *, const struct net_ip *,
			   const char *name, unsigned prefix);
enum spf_match spf_match_mx(struct dns_cache *, const struct net_ip *,
			    const char *name, unsigned prefix);

enum spf_match spf_match_exists(struct dns_cache *, const char *name);

/* Has the client a name that is `name`, or ends in it? An error is no reason to
   fail here: SPF_LOST only when there is no time left. */
enum spf_match spf_match_ptr(struct dns_cache *, const struct net_ip *,
			     const char *name);

/* The client's name: `domain` itself, else one below it, else any. NULL when it
   has none. */
const char *spf_host_of(struct dns_cache *, const struct net_ip *,
			const char *domain, char host[DNS_NAME]);

/* Does a name that the client's address has lead back to it (iprev of RFC 8601
   section 3)? SPF_MATCHES and the name; SPF_DIFFERS: none does; SPF_VOID: there
   is no name. */
enum spf_match spf_confirm_host(struct dns_cache *, const struct net_ip *,
				char host[DNS_NAME]);

#endif
