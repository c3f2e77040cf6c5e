#!/bin/sh
# smtpd and addresses beyond ASCII (RFC 6531; case 21 of the list): with the
# parameter SMTPUTF8 and without, and what the queue program is told.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

# A queue program that tells the log.
cat >"$work/queue" <<'END'
#!/bin/sh
echo "queue: SMTPUTF8=${SMTPUTF8-unset}" >&2
exec queue-stub
END
chmod 755 "$work/queue"

cat >"$work/utf8.txt" <<END
env QMAILQUEUE=$work/queue

== 21: an address beyond ASCII needs no parameter, as with qmail
S: 220 *
R: MAIL FROM:<j\\xc3\\xbcrgen@b\\xc3\\xbcro.example>\\r\\n
S: 250 ok
R: RCPT TO:<m\\xc3\\xbcller@example.org>\\r\\n
S: 250 ok
R: RCPT TO:<latin\\xfc@example.org>\\r\\n
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: Fj\\xc3\\xbcrgen@b\\xc3\\xbcro.example\\0Tm\\xc3\\xbcller@example.org\\0Tlatin\\xfc@example.org\\0\\0
M:
LOG: queue: SMTPUTF8=unset

== a domain is listed as DNS has it, or as it came
control rcpthosts xn--exmple-cua.org\\n.b\\xc3\\xbcro.example
S: 220 *
C: MAIL FROM:<> SMTPUTF8
R: RCPT TO:<m\\xc3\\xbcller@ex\\xc3\\xa4mple.org>\\r\\n
R: RCPT TO:<a@xn--exmple-cua.org>\\r\\n
R: RCPT TO:<a@x.b\\xc3\\xbcro.example>\\r\\n
R: RCPT TO:<a@ex\\xc3\\xb6mple.org>\\r\\n
R: RCPT TO:<a@ex\\xc3mple.org>\\r\\n
S*4: 250 ok
S*2: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)

== the parameter
S: 220 *
C: EHLO x
S*4: 250-*
S: 250-SMTPUTF8
S: 250 8BITMIME
R: MAIL FROM:<j\\xc3\\xbcrgen@client.example> SIZE=5 smtpUTF8 BODY=8BITMIME\\r\\n
S: 250 ok
R: RCPT TO:<m\\xc3\\xbcller@example.org>\\r\\n
S: 250 ok
C: DATA
S: 354 *
R: Subject: \\xc3\\xbc\\r\\n.\\r\\n
S: 250 ok * qp *
E: Fj\\xc3\\xbcrgen@client.example\\0Tm\\xc3\\xbcller@example.org\\0\\0
T: *\\n  by mx.example.org with SMTP; *\\n
M: Subject: \\xc3\\xbc\\n
LOG: queue: SMTPUTF8=1

== 21: the parameter is for one transaction, where addresses need it
env SMTP_UTF8=2
env SMTP_PROTOCOL_WORDS=1
S: 220 *
C: EHLO x
S*6: 250*
C: MAIL FROM:<a@client.example> SMTPUTF8
R: RCPT TO:<m\\xc3\\xbcller@example.org>\\r\\n
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
C: MAIL FROM:<b@client.example>
R: RCPT TO:<m\\xc3\\xbcller@example.org>\\r\\n
S: 250 ok
S: 553 that address needs SMTPUTF8 (#5.6.7)
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: Fa@client.example\\0Tm\\xc3\\xbcller@example.org\\0\\0
T: *\\n  by mx.example.org with UTF8SMTP; *\\n
E: Fb@client.example\\0Tu@example.org\\0\\0
T: *\\n  by mx.example.org with ESMTP; *\\n
LOG: queue: SMTPUTF8=1
LOG: queue: SMTPUTF8=unset

== nor does it last from a MAIL that was refused, or reset
env SMTP_UTF8=2
env DATABYTES=5
S: 220 *
C: MAIL FROM:<a@client.example> SMTPUTF8 SIZE=6
S: 552 *
R: MAIL FROM:<\\xc3\\xbc@client.example>\\r\\n
S: 553 that address needs SMTPUTF8 (#5.6.7)
R: MAIL FROM:<\\xc3\\xbc@client.example> SMTPUTF8\\r\\n
S: 250 ok
C: RSET
S: 250 flushed
R: MAIL FROM:<\\xc3\\xbc@client.example>\\r\\n
S: 553 *
R: MAIL FROM:<a@\\xc3\\xbc.example>\\r\\n
S: 553 *
R: MAIL FROM:<\\xfc@client.example>\\r\\n
S: 553 *
C: MAIL FROM:<a@client.example>
S: 250 ok

== what a rule says of SMTPUTF8 reaches no queue program
env SMTPUTF8=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok * qp *
E: *
LOG: queue: SMTPUTF8=unset

== it has no value
S: 220 *
C: MAIL FROM:<a@client.example> SMTPUTF8=
S: 501 syntax error in SMTPUTF8 (#5.5.4)
C: MAIL FROM:<a@client.example> SMTPUTF8=1
S: 501 syntax error in SMTPUTF8 (#5.5.4)
C: MAIL FROM:<a@client.example> SMTPUTF8
S: 250 ok

== VRFY may have it
S: 220 *
R: VRFY m\\xc3\\xbcller SMTPUTF8\\r\\n
S: 252 *
C: EXPN list SMTPUTF8
S: 502 *

== SMTP_UTF8=0: not offered, and passed over like other words
env SMTP_UTF8=0
S: 220 *
C: EHLO x
S: 250-*
S: 250-SIZE 0
S: 250-PIPELINING
S: 250-CHUNKING
S: 250 8BITMIME
C: MAIL FROM:<a@client.example> SMTPUTF8=1
S: 250 ok
R: RCPT TO:<m\\xc3\\xbcller@example.org>\\r\\n
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
LOG: queue: SMTPUTF8=unset

== a chunk of such a message
S: 220 *
C: MAIL FROM:<> SMTPUTF8
C: RCPT TO:<u@example.org>
S*2: 250 ok
L: \\xc3\\xbc
S: 250 ok * qp *
E: *
M: \\xc3\\xbc\\n
LOG: queue: SMTPUTF8=1
END
dialogues "$work/utf8.txt"
dialogues -a "$work/utf8.txt"

done_testing
