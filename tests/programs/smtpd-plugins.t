#!/bin/sh
# smtpd and policy programs with the interface of qmail-spp: what they are told, each
# letter of their answers, what becomes of those that fail.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"

# Tells the log what it was told.
cat >"$work/tell" <<'END'
#!/bin/sh
echo "$1: helo=${SMTPHELOHOST-unset} from=${SMTPMAILFROM-unset}" \
	"to=${SMTPRCPTTO-unset} count=${SMTPRCPTCOUNT-unset}" \
	"all=${SMTPRCPTCOUNTALL-unset} ok=${SMTPRCPTHOSTSOK-unset}" \
	"user=${SMTPAUTHUSER-unset} method=${SMTPAUTHMETHOD-unset}" >&2
END
# Says its argument, in which %0A is a line's end, to commands of the name $ONLY.
cat >"$work/say" <<'END'
#!/usr/bin/perl
my $text = shift;
exit if defined $ENV{ONLY} && $ENV{SMTPRCPTTO} ne $ENV{ONLY};
$text =~ s/%(..)/chr hex $1/ge;
$text =~ tr/_/ /;
print $text;
END
cat >"$work/queue" <<'END'
#!/bin/sh
echo "queue: from=${SMTPMAILFROM-unset} to=${SMTPRCPTTO-unset} x=${XFLAG-unset}" >&2
exec queue-stub
END
printf '#!/bin/sh\nexit 120\n' >"$work/exit120"
printf '#!/bin/sh\necho E550 no\nexit 3\n' >"$work/exit3"
printf '#!/bin/sh\necho E550 no\nkill -9 $$\n' >"$work/crash"
printf '#!/bin/sh\nexec sleep 30\n' >"$work/hang"
printf '#!/bin/sh\nread -r line\necho "stdin: $? [$line]" >&2\n' >"$work/reads"
printf '#!/bin/sh\nexec yes "X some output that nobody wants"\n' >"$work/flood"
chmod 755 "$work"/*

{
	echo "env W=$work"
	echo "env QMAILQUEUE=$work/queue"
	echo "env ENABLE_SPP="
	sed "s|@|$work/|g; s| AT |@|g" <<'END'
== what each is told, at each command
control smtpplugins [connection]\n@tell connection\n[helo]\n@tell helo\n# none\n\n[mail]\n@tell mail\n[rcpt]\n@tell rcpt\n[data]\n@tell data\n[nonsense]\n@tell nonsense
S: 220 mx.example.org ESMTP
C: HELO name of it
S: 250 mx.example.org
C: MAIL FROM:<a AT client.example>
C: RCPT TO:<u AT example.org>
C: RCPT TO:<x AT elsewhere.example>
C: RCPT TO:<v AT example.org>
C: DATA
S: 250 ok
S: 250 ok
S: 553 *
S: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
C: MAIL FROM:<b AT client.example>
S: 250 ok
LOG: connection: helo=unset from=unset to=unset count=unset all=unset ok=unset user=unset method=unset
LOG: helo: helo=name of it from=unset to=unset *
LOG: mail: helo=name of it from=a AT client.example to=unset count=unset all=unset ok=unset *
LOG: rcpt: helo=name of it from=a AT client.example to=u AT example.org count=0 all=1 ok=1 *
LOG: rcpt: helo=name of it from=a AT client.example to=x AT elsewhere.example count=1 all=2 ok=0 *
LOG: rcpt: helo=name of it from=a AT client.example to=v AT example.org count=1 all=3 ok=1 *
LOG: data: helo=name of it from=a AT client.example to=v AT example.org *
LOG: queue: from=a AT client.example to=v AT example.org x=unset
LOG: mail: helo=name of it from=b AT client.example to=unset *

== without ENABLE_SPP nobody is asked
env ENABLE_SPP
control smtpplugins [connection]\n@say E550
S: 220 *

== NOSPP wins
env NOSPP=
control smtpplugins [connection]\n@say E550
S: 220 *

== SPPCONFFILE
env SPPCONFFILE=@other
S: 220 *
C: HELO x
S: 550 from the other file

== a file that is not there
S: 421 unable to read controls (#4.3.0)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: unable to read *control/smtpplugins: *

== a line that begins with a colon is for the shell
control smtpplugins [helo]\n:echo "E550 \$SMTPHELOHOST" | tr a b
S: 220 *
C: HELO banana
S: 550 bbnbnb

== the sections are told by their first letter
control smtpplugins [h]\n@say E550_h
S: 220 *
C: HELO x
S: 550 h

== programs run in the order of the file, to the first refusal
control smtpplugins [mail]\n@tell one\n@tell two\n@say E550_no\n@tell three
S: 220 *
C: MAIL FROM:<>
S: 550 no
C: RCPT TO:<u AT example.org>
S: 503 MAIL first (#5.5.1)
LOG: one: *
LOG: two: *

== they have no connection to read from
control smtpplugins [helo]\n@reads
S: 220 *
C: HELO x
S: 250 *
C: MAIL FROM:<>
S: 250 ok
LOG: stdin: 1 []

== E at each command
control smtpplugins [helo]\n@say E550_helo\n[mail]\n@say E551_mail\n
S: 220 *
C: EHLO x
S: 550 helo
C: HELO x
S: 550 helo
C: MAIL FROM:<>
S: 551 mail

== E at RCPT: the others stay
env ONLY=bad AT example.org
control smtpplugins [rcpt]\n@say E550_rcpt
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: RCPT TO:<bad AT example.org>
C: DATA
S: 250 ok
S: 250 ok
S: 550 rcpt
S: 354 *
C: .
S: 250 ok *
E: F\0Tu AT example.org\0\0

== E at DATA
control smtpplugins [data]\n@say E450_data
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: DATA
S*2: 250 ok
S: 450 data
C: NOOP
S: 250 ok

== E at the first chunk, which is passed over
control smtpplugins [data]\n@say E450_data
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
R: BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n
S*2: 250 ok
S: 450 data
S: 250 ok

== E at the connection: nothing works but QUIT
control smtpplugins [connection]\n@say E554_no_service_for_you
S: 554 no service for you
C: HELO x
S: 503 bad sequence of commands (#5.5.1)
C: QUIT
S: 221 *

== R: the reply, and the end
control smtpplugins [mail]\n@say R421_go
S: 220 *
C: MAIL FROM:<>
S: 421 go
EOF
STATUS: 1

== D: the end
control smtpplugins [mail]\n@say D
S: 220 *
C: NOOP
C: MAIL FROM:<>
S: 250 ok
EOF
STATUS: 1

== D at the connection
control smtpplugins [connection]\n@say D
EOF
STATUS: 1

== A: no plugin any more, but all the other checks
control smtpplugins [mail]\n@say A\n@say E550\n[rcpt]\n@say E550_rcpt
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: RCPT TO:<u AT elsewhere.example>
C: RSET
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
S*2: 250 ok
S: 553 *
S: 250 flushed
S*2: 250 ok

== N: no other plugin for this command
control smtpplugins [mail]\n@say N\n@say E550\n[rcpt]\n@say E550_rcpt
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<u AT example.org>
S: 550 rcpt

== O: no check of ours, either
env SANITYCHECK=
control smtpplugins [mail]\n@say O\n@say E550\n[rcpt]\n@say O
S: 220 *
C: MAIL FROM:<odd>
C: RCPT TO:<u AT elsewhere.example>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: Fodd\0Tu AT elsewhere.example\0\0

== what comes behind such an order does not count
control smtpplugins [mail]\n@say N%0AE550_no
S: 220 *
C: MAIL FROM:<>
S: 250 ok

== H: fields stand below our own, in their order
control smtpplugins [connection]\n@say HX-Connection:_1\n[helo]\n@say HX-Helo:_2%0AHX-Helo:_3\n[mail]\n@say HX-Mail:_4\n[rcpt]\n@say HX-Rcpt:_5\n[data]\n@say HX-Data:_6
S: 220 *
C: HELO x
S: 250 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Subject: x
C: .
S: 250 ok *
E: *
M: X-Connection: 1\nX-Helo: 2\nX-Helo: 3\nX-Mail: 4\nX-Rcpt: 5\nX-Data: 6\nSubject: x\n
C: HELO y
S: 250 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
M: X-Connection: 1\nX-Helo: 2\nX-Helo: 3\nX-Mail: 4\nX-Rcpt: 5\nX-Data: 6\n

== H: what is said of a message that does not come is forgotten
env ONLY=u AT example.org
control smtpplugins [rcpt]\n@say HX-Rcpt:_5
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: RSET
C: MAIL FROM:<>
C: RCPT TO:<v AT example.org>
C: DATA
S*2: 250 ok
S: 250 flushed
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
M:

== C at MAIL and at RCPT; the new address is what is checked
env ONLY=u AT example.org
control smtpplugins [mail]\n:echo Cnew AT sender.example\n@tell mail\n[rcpt]\n@say Cnew%40example.org\n@tell rcpt
S: 220 *
C: MAIL FROM:<a AT client.example>
C: RCPT TO:<u AT example.org>
C: RCPT TO:<v AT example.org>
C: DATA
S*3: 250 ok
S: 354 *
C: .
S: 250 ok *
E: Fnew AT sender.example\0Tnew AT example.org\0Tv AT example.org\0\0
LOG: mail: * from=new AT sender.example *
LOG: rcpt: * to=new AT example.org *

== C: a foreign one is as foreign as any
control smtpplugins [rcpt]\n@say Cnew%40elsewhere.example
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
S: 250 ok
S: 553 sorry, that domain*

== C: no sender, and no recipient
control smtpplugins [mail]\n@say C\n[rcpt]\n@say C
S: 220 *
C: MAIL FROM:<a AT client.example>
C: RCPT TO:<u AT example.org>
S: 250 ok
S: 451 qmail-spp failure: *say C: no recipient is left (#4.3.0)

== S and U: for the programs, and for our settings
control smtpplugins [helo]\n@say SXFLAG=a=b%0ASNOBOUNCE=\n[mail]\n:echo "flag \$XFLAG" >&2\n[rcpt]\n@say UNOBOUNCE
env NOBOUNCE
S: 220 *
C: MAIL FROM:<>
C: RSET
S: 250 ok
S: 250 flushed
C: HELO x
S: 250 *
C: MAIL FROM:<>
S: 554 RFC2821 bounces are administratively denied
C: MAIL FROM:<a AT client.example>
C: RCPT TO:<u AT example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
C: MAIL FROM:<>
S: 250 ok
LOG: flag a=b
LOG: queue: * x=a=b

== S: another queue program
control smtpplugins [rcpt]\n@say SQMAILQUEUE=/nonexistent/queue
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 451 unable to exec qq (#4.3.0)

== S: RELAYCLIENT is for filters, and makes no relay
control smtpplugins [connection]\n@say SRELAYCLIENT=\n[rcpt]\n@say SRELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT elsewhere.example>
C: RCPT TO:<u AT elsewhere.example>
S: 250 ok
S: 553 *
S: 553 *

== P: more lines of the reply
control smtpplugins [connection]\n@say P220-welcome%0AP220_to\n[mail]\n@say P550-first\n@say E550_last
S: 220-welcome
S: 220-to
S: 220 mx.example.org ESMTP
C: MAIL FROM:<>
S: 550-first
S: 550 last

== L: later refusals, until what they were said of is over
control smtpplugins [helo]\n:[ "\$SMTPHELOHOST" = good ] || echo "LM550 m"; echo LR550 r
S: 220 *
C: HELO bad
S: 250 *
C: MAIL FROM:<>
S: 550 m
C: RSET
S: 250 flushed
C: MAIL FROM:<>
S: 550 m
C: HELO good
S: 250 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<u AT example.org>
S: 550 r
C: RCPT TO:<u AT example.org>
S: 550 r

== LD, from every command; one reply of all lines
control smtpplugins [connection]\n@say LD450_c\n[mail]\n@say LD550_m%0ALD550_n\n[rcpt]\n@say LD551_r
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u AT example.org>
C: DATA
S*2: 250 ok
S: 551-c
S: 551-m
S: 551-n
S: 551 r
C: MAIL FROM:<>
C: RSET
S: 250 ok
S: 250 flushed

== a HELO that is refused changes nothing of the one before
control smtpplugins [helo]\n:case \$SMTPHELOHOST in first) echo LM550 m ;; *) echo E550 no ;; esac
S: 220 *
C: HELO first
S: 250 *
C: HELO second
S: 550 no
C: MAIL FROM:<>
S: 550 m

== many refusals for later are one of bounded length
control smtpplugins [rcpt]\n:echo "LD550 \$SMTPRCPTTO xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C*60: RCPT TO:<u AT example.org>
S*60: 250 ok
C: DATA
S*54: 550-u*
S: 550 u*

== a program that exits 120, and one that is not there
control smtpplugins [mail]\n@exit120\n[rcpt]\n/nonexistent/plugin with words
S: 220 *
C: MAIL FROM:<>
S: 451 qmail-spp failure: *exit120: can't execute (#4.3.0)
LOG: qmail-smtpd[*]: qmail-spp failure: *exit120: can't execute

== one that is not there
control smtpplugins [mail]\n/nonexistent/plugin with words
S: 220 *
C: MAIL FROM:<>
S: 451 qmail-spp failure: /nonexistent/plugin with words: can't execute (#4.3.0)

== one that crashes, whatever it has said
control smtpplugins [mail]\n@crash
S: 220 *
C: MAIL FROM:<>
S: 451 qmail-spp failure: *crash: child crashed (#4.3.0)

== another exit code says nothing
control smtpplugins [mail]\n@exit3
S: 220 *
C: MAIL FROM:<>
S: 550 no

== one that hangs
once
env SMTPD_HELPER_TIMEOUT=1
control smtpplugins [mail]\n@hang
S: 220 *
C: MAIL FROM:<>
S: 451 qmail-spp failure: *hang: too late (#4.3.0)

== some that have all the time there is
env SMTPD_HELPER_TIMEOUT=99999999999
control smtpplugins [mail]\n:sleep 0.1\n:echo E550 no
S: 220 *
C: MAIL FROM:<>
S: 550 no

== some that are slow together
once
env SMTPD_HELPER_TIMEOUT=2
control smtpplugins [mail]\n:sleep 1.5\n:sleep 1.5\n:echo E550 no
S: 220 *
C: NOOP
C: MAIL FROM:<>
S: 250 ok
S: 451 qmail-spp failure: :sleep 1.5: too late (#4.3.0)

== one that never stops talking
once
env SMTPD_HELPER_TIMEOUT=1
control smtpplugins [mail]\n@flood
S: 220 *
C: MAIL FROM:<>
S: 451 qmail-spp failure: *flood: too late (#4.3.0)

== one that fails at the connection
control smtpplugins [connection]\n@exit120
S: 451 qmail-spp failure: *exit120: can't execute (#4.3.0)
C: MAIL FROM:<>
S: 503 bad sequence of commands (#5.5.1)

== answers that cannot be followed
control smtpplugins [mail]\n:printf '%s\\n' "\$SMTPMAILFROM" | tr _ ' '
S: 220 *
C: MAIL FROM:<HX-A_b>
S: 451 qmail-spp failure: *: bad answer (#4.3.0)
C: MAIL FROM:<HX-A>
S: 451 *: bad answer (#4.3.0)
C: MAIL FROM:<S1=x>
S: 451 *: bad answer (#4.3.0)
C: MAIL FROM:<UA=b>
S: 451 *: bad answer (#4.3.0)
C: MAIL FROM:<Pno>
S: 451 *: bad answer (#4.3.0)
C: MAIL FROM:<LX550>
S: 451 *: bad answer (#4.3.0)
C: MAIL FROM:<words>
S: 250 ok

== nothing of an answer is another line
control smtpplugins [mail]\n:printf 'E550 a\\r250 b\\033[2J\\344\\n'
S: 220 *
C: MAIL FROM:<>
S: 550 a?250 b?[2J?

== nor accepts what it refuses
control smtpplugins [mail]\n@say E250_ok
S: 220 *
C: MAIL FROM:<>
S: 550 250 ok

== what the client says does not get into a shell
control smtpplugins [mail]\n@tell mail\n:echo "told: \$SMTPMAILFROM" >&2
S: 220 *
C: MAIL FROM:<;echo$IFS`id`>
S: 250 ok
LOG: told: ;echo$IFS`id`

== SMTP_ENHANCED: a plugin's reply gets a code, or has its own
env SMTP_ENHANCED=1
control smtpplugins [helo]\n@say E550_no\n[mail]\n@say E550_5.7.9_no%0A
S: 220 *
C: HELO x
S: 550 5.7.1 no
C: MAIL FROM:<>
S: 550 5.7.9 no

== XCLIENT: another client, of whom nothing was said
env XCLIENT=1
control smtpplugins [connection]\n:[ "\$TCPREMOTEIP" != 192.0.2.7 ] || echo "LM550 m"\n[helo]\n@tell helo
S: 220 *
C: MAIL FROM:<>
S: 550 m
C: XCLIENT ADDR=198.51.100.9
S: 220 *
C: MAIL FROM:<>
S: 250 ok

== AUTH: who it is, before it is so
env AUTH_CDB=@auth.cdb
env ALLOW_INSECURE_AUTH=1
env SMTPD_AUTH_DELAY=0
control smtpplugins [auth]\n@tell auth\n:[ "\$SMTPAUTHUSER" = joe ] || echo E535 not this one\n[mail]\n@tell mail
S: 220 *
C: AUTH PLAIN AGphbmUAc2VjcmV0
S: 535 not this one
C: MAIL FROM:<>
C: RCPT TO:<u AT elsewhere.example>
C: RSET
S: 250 ok
S: 553 *
S: 250 flushed
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 235 *
C: MAIL FROM:<>
C: RCPT TO:<u AT elsewhere.example>
S*2: 250 ok
LOG: auth: * user=jane method=plain
LOG: auth: * user=joe method=plain
LOG: mail: * user=joe method=plain

== [pass] is another name for [auth]
env AUTH_CDB=@auth.cdb
env ALLOW_INSECURE_AUTH=1
control smtpplugins [pass]\n@say E535_pass
S: 220 *
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 535 pass
END
} >"$work/plugins.txt"
printf '[helo]\n%s/say E550_from_the_other_file\n' "$work" >"$work/other"
hash=$(openssl passwd -6 secret)
printf '+3,%d:joe->%s\n+4,%d:jane->%s\n\n' ${#hash} "$hash" ${#hash} "$hash" >"$work/auth"
cdb -c "$work/auth.cdb" "$work/auth"
dialogues "$work/plugins.txt"

# A client that leaves TLS' clear text behind: nothing of it holds.
{
	echo "env ENABLE_SPP="
	sed "s|@|$work/|g" <<'END'
== what was said of a name in the clear is forgotten
once
control smtpplugins [helo]\n@say LM550_m%0AA\n[rcpt]\n@tell rcpt
S: 220 *
C: HELO clear
S: 250 *
C: MAIL FROM:<>
S: 550 m
C: STARTTLS
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<postmaster>
S: 250 ok
LOG: rcpt: helo=unset *
END
} >"$work/tls.txt"
dialogues "$work/tls.txt" -- ucspi-plain smtpd

done_testing
