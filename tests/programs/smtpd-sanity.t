#!/bin/sh
# smtpd and senders that look odd: NOBOUNCE, SANITYCHECK, and the one recipient of a
# bounce.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

# asks SENDER REPLY: a case about MAIL, and the RCPT behind it
asks() {
	cat <<END

== $1 with $setting
env $setting
S: 220 *
C: MAIL FROM:<$1>
S: $2
C: RCPT TO:<u@example.org>
S: $(case $2 in 250*) echo 250 ok ;; *) echo '503 MAIL first (#5.5.1)' ;; esac)
END
}
bounces='554 RFC2821 bounces are administratively denied'
without_at='554 mailfrom without @ is administratively denied'
without_part='554 mailfrom without user or domain part is administratively denied'
without_dot='554 mailfrom without . in domain part is administratively denied'
{
	for setting in X=1 NOBOUNCE= NOBOUNCE=0; do
		refused=$bounces
		[ $setting != X=1 ] || refused='250 ok'
		asks '' "$refused"
		asks '#@[]' "$refused"
		for sender in u@client.example u u@x '#@' '""@'; do
			asks "$sender" '250 ok'
		done
	done
	for setting in SANITYCHECK= SANITYCHECK=0; do
		for sender in u@client.example '' '#@[]' 'u@[192.0.2.1]' \
			'u@[IPv6:2001:db8::1]' '"a@b"@c.d' u@. u@x.; do
			asks "$sender" '250 ok'
		done
		asks u "$without_at"
		asks u.x "$without_at"
		asks '""@client.example' "$without_part"
		asks u@ "$without_part"
		asks u@x@ "$without_part"
		asks '""@' "$without_part"
		asks u@x "$without_dot"
		asks u.v@x "$without_dot"
		asks u@a.b@x "$without_dot"
		asks 'u@[IPv6:x]' "$without_dot"
	done
	cat <<'END'

== both
env NOBOUNCE=
env SANITYCHECK=
S: 220 *
C: MAIL FROM:<>
S: 554 RFC2821 bounces are administratively denied
C: MAIL FROM:<u>
S: 554 mailfrom without @ is administratively denied
C: MAIL FROM:<u@client.example>
S: 250 ok

== RELAYCLIENT spares nobody
env NOBOUNCE=
env SANITYCHECK=
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
S: 554 RFC2821 bounces are administratively denied
C: MAIL FROM:<u>
S: 554 mailfrom without @ is administratively denied

== another family's name for NOBOUNCE
env REJECTNULLSENDERS=1
S: 220 *
C: MAIL FROM:<>
S: 554 RFC2821 bounces are administratively denied

== by default a bounce may have several recipients
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C*3: RCPT TO:<u@example.org>
S*3: 250 ok

== with SMTPD_ONE_BOUNCE_RECIPIENT it may not
env SMTPD_ONE_BOUNCE_RECIPIENT=1
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 553 *
C: RCPT TO:<u@example.org>
S: 250 ok
C: RCPT TO:<v@elsewhere.example>
S: 553 *
C*2: RCPT TO:<v@example.org>
S*2: 550 sorry, I don't accept bounce messages with more than one recipient. Go read RFC2821. (#5.7.1)
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: F\0Tu@example.org\0\0
C: MAIL FROM:<#@[]>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: RCPT TO:<v@example.org>
S: 550 *
C: RSET
S: 250 flushed
C: MAIL FROM:<u@client.example>
S: 250 ok
C*2: RCPT TO:<u@example.org>
S*2: 250 ok
END
} >"$work/table"
dialogues "$work/table"
done_testing
