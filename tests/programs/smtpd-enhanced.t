#!/bin/sh
# smtpd with SMTP_ENHANCED: each reply begins with an enhanced status code (RFC
# 2034), but for greetings and the replies to HELO and EHLO; without it, none does.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

cat >"$work/enhanced.txt" <<'END'
env SMTP_ENHANCED=1

== offered; greetings and the replies to HELO and EHLO have none
S: 220 mx.example.org ESMTP
C: HELO x
S: 250 mx.example.org
C: EHLO x
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-ENHANCEDSTATUSCODES
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME
C: QUIT
S: 221 2.0.0 mx.example.org

== a message
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 ok
C: RCPT TO:<u@example.org>
S: 250 2.1.5 ok
C: DATA
S: 354 go ahead
C: .
S: 250 2.0.0 ok * qp *
E: *
C: NOOP
S: 250 2.0.0 ok
C: RSET
S: 250 2.0.0 flushed
C: VRFY u
S: 252 2.0.0 send some mail, i'll try my best
C: HELP
S: 214 2.0.0 qmail home page: http://pobox.com/~djb/qmail.html
C: QUIT
S: 221 2.0.0 mx.example.org

== a chunk
S: 220 *
C: MAIL FROM:<>
S: 250 2.1.0 ok
C: RCPT TO:<u@example.org>
S: 250 2.1.5 ok
R: BDAT 3\r\na\r\n
S: 250 2.0.0 ok
C: BDAT 0 LAST
S: 250 2.0.0 ok * qp *
E: *

== a code at the end moves to the front
S: 220 *
C: BOGUS
S: 502 5.5.1 unimplemented
C: RCPT TO:<u@example.org>
S: 503 5.5.1 MAIL first
C: MAIL FROM:<a\b
S: 250 2.1.0 ok
C: MAIL FROM:<>
S: 503 5.5.1 only one MAIL command allowed
C: RCPT TO:<>
S: 555 5.5.4 syntax error
C: RCPT TO:<u@elsewhere.example>
S: 553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts
C: DATA
S: 503 5.5.1 RCPT first

== and one that has no '#'
env DENY_TLS=1
S: 220 *
C: STARTTLS
S: 454 4.3.0 TLS not available

== a text without one gets what goes with it
env SANITYCHECK=1
env NOBOUNCE=1
S: 220 *
C: MAIL FROM:<user>
S: 554 5.1.7 mailfrom without @ is administratively denied
C: MAIL FROM:<user@>
S: 554 5.1.7 mailfrom without user or domain part is administratively denied
C: MAIL FROM:<user@domain>
S: 554 5.1.7 mailfrom without . in domain part is administratively denied
C: MAIL FROM:<>
S: 554 5.7.1 RFC2821 bounces are administratively denied

== a reply of several lines has it in each
env QMAILSMTPD_HELP_VERSION=1
S: 220 *
C: HELP
S: 214-2.0.0 qmail home page: http://pobox.com/~djb/qmail.html
S: 214 2.0.0 jms1 combined patch v7.08 http://qmail.jms1.net/patches/combined.shtml

== what the queue program says: a code at the end, at the front, and of another class
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 *
S: 354 *
C: X-Plan: exit=53
C: .
S: 451 4.3.0 qq write error or disk full
E: *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 *
S: 354 *
C: X-Plan: text=4:D5.7.1%20spam exit=82
C: .
S: 554 5.7.1 spam
E: *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 *
S: 354 *
C: X-Plan: text=4:Dspam%20(#4.7.1) exit=82
C: .
S: 554 5.7.1 spam (#4.7.1)
E: *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 *
S: 354 *
C: X-Plan: text=4:D(see%20(#5.7.1%20and%20more)) exit=82
C: .
S: 554 5.7.1 (see (#5.7.1 and more))
E: *

== a long one is cut to the length of a reply (the dialogue looks)
env ENABLE_SPP=
control smtpplugins [mail]\n:printf 'E550 %0600d' 0
S: 220 *
C: MAIL FROM:<>
S: 550 5.7.1 000000*

== one that is not is not
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 *
S: 354 *
R: X-Plan: text=4:D\{250:x} exit=82\r\n.\r\n
S: 554 5.7.1 xxx*
E: *

== the end of a session
control timeoutsmtpd 1
S: 220 *
S: 451 4.4.2 timeout
EOF
STATUS: 1

== a bare LF
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 *
S: 354 *
R: a\nb\r\n.\r\n
S: 451 4.5.2 See http://pobox.com/~djb/docs/smtplf.html.
EOF
STATUS: 1
END
dialogues "$work/enhanced.txt"

cat >"$work/plain.txt" <<'END'
== SMTP_ENHANCED=0 is none
env SMTP_ENHANCED=0
S: 220 *
C: EHLO x
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<>
S: 555 syntax error (#5.5.4)
C: QUIT
S: 221 mx.example.org
END
dialogues "$work/plain.txt"

# TLS is on: what UCSPI-TLS says, too.
cat >"$work/tls.txt" <<'END'
env SMTP_ENHANCED=1
== STARTTLS
once
S: 220 *
C: STARTTLS x
S: 501 5.5.4 Syntax error (no parameters allowed)
C: STARTTLS
S: 220 2.0.0 ready for tls
C: STARTTLS
S: 454 4.3.0 TLS not available: TLS already active
END
dialogues "$work/tls.txt" -- ucspi-plain smtpd

done_testing
