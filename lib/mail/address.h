/* Addresses as the commands MAIL and RCPT carry them (RFC 5321 section 4.1.2),
   read as leniently as qmail reads them. What comes out is the address without
   brackets, source route and quoting: <@a,@b:"x y"@c> gives "x y@c", the form
   of the envelope; no shell and no header may be given it unchecked.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/str.h"
#include "system/net.h"

/* With the NUL, as in qmail; RFC 5321 section 4.5.3.1.3 asks for 256. */
enum { ADDRESS_LIMIT = 900 };

/* The argument of MAIL or RCPT, "FROM:<a@b> SIZE=1". Without '<' the address
   begins behind the first colon and ends at the first blank. A missing '>' is
   forgiven. 0, `*parameters` being what follows; -1 for no address at all, one
   over the limit, or one with a control byte, which the envelope would carry
   into the header of the message. <> is the empty address. */
int address_parse(const char *argument, struct str *address,
		  const char **parameters);

/* The other way round: appends the address of an envelope as a command carries it
   between < and >, or a command line: with its local part quoted where that has to
   be, so that "a,b@c" stays one address, "a,b"@c. -1, with nothing appended, when
   it has a byte that no quoting helps: a control byte, or in the domain one that
   no domain or literal has. The empty address stays empty. */
int address_write(struct str *, const char *address);

/* What follows the last '@', or NULL. */
const char *address_domain(const char *address);

/* A domain that is an address literal (section 4.1.3), [192.0.2.1] or
   [IPv6:2001:db8::1]: 0 and the address, or -1. */
int address_literal(const char *domain, struct net_ip *);

#endif
