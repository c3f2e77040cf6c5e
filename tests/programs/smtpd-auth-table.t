#!/bin/sh
# smtpd and AUTH_CDB: each reply and log line, SCRAM-SHA-256 and CRAM-MD5 step by
# step, what a login changes (AUTH_SET_, AUTH_UNSET_, the table's settings), and
# that STARTTLS takes it back.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need cdb perl

base64_of() {
	# shellcheck disable=SC2059 # escapes are the point
	printf "$1" | base64 -w 0
}
# plain LOGIN [PASSWORD]
plain() {
	echo "AUTH PLAIN $(base64_of "\\0$1\\0${2-secret}")"
}
refused='535 authorization failed (#5.7.0)'
accepted='235 ok, go ahead (#2.0.0)'
malformed='501 malformed auth input (#5.5.4)'
cancelled='501 auth exchange cancelled (#5.0.0)'
child="454 oops, problem with child and I can't auth (#4.3.0)"
no_start="454 oops, child won't start and I can't auth (#4.3.0)"
type='504 auth type not available (#5.5.1)'
usual=$(printf 'S: 250%s\n' '-SIZE 0' -PIPELINING -CHUNKING -SMTPUTF8 ' 8BITMIME')

# What the queue program finds, one line for each variable that matters; what
# helpers that are asked by name say.
mkdir "$work/fake"
cat >"$work/queue" <<'END'
#!/bin/sh
env | grep -E '^(AUTH_|RELAYCLIENT|TCPREMOTE|SMTP_?AUTH|SETTING|OTHER|PATH=.evil|[A-Z_]*(MFCHECK|MAXRCPT|DATABYTES|SPFBEHAVIOR|SPF_LOG|VALIDRCPTTO|RELAYREJ|QMAILSMTPD|DKSIGN|DKVERIFY))' |
	sort | sed 's/^/queue: /' >&2
exec queue-stub
END
printf '#!/bin/sh\necho "program for $RECIPIENT" >&2\nexit 100\n' >"$work/rcptcheck"
printf '#!/bin/sh\necho none\nexit 1\n' >"$work/fake/mxcheck"
printf '#!/bin/sh\necho "queue: another one" >&2\nexec queue-stub\n' >"$work/other-queue"
chmod 755 "$work/queue" "$work/fake/mxcheck" "$work/rcptcheck" "$work/other-queue"

secret=$(auth-entry crypt secret '$1$abcdefgh')
now=$(date +%s)
{
	cat <<END
tim $secret
kim $secret,SETTING="kim's",OTHER="a b=c",DATABYTES="7",PATH="/evil",SMTP_AUTH_USER="root",TCPREMOTEINFO="root",SMTPAUTHUSER="root"
sam $(auth-entry scram secret 100),SETTING="sam's"
cam $(auth-entry cram secret)
old $secret,PASSWORD_EXPIRES="$now"
locked !$secret
sold $(auth-entry scram secret 100),PASSWORD_EXPIRES="$now"
big $secret$(perl -e 'printf ",N%d=\"%s\"", $_, "x" x 1000 for 1 .. 62')
huge $secret$(perl -e 'printf ",N%d=\"%s\"", $_, "x" x 1000 for 1 .. 99')
END
	echo
} >"$work/lines"
cdb -c -m "$work/auth.cdb" "$work/lines"
head -c 2100 "$work/auth.cdb" >"$work/cut.cdb"

# talk [ARGUMENT…]: the cases on standard input, with this table
talk() {
	{
		cat <<END
env AUTH_CDB=$work/auth.cdb
env SMTPD_AUTH_DELAY=0
env SSL=1
env QMAILQUEUE=$work/queue
END
		cat
	} >"$work/cases"
	dialogues "$work/cases" -- "${front-smtpd}" "$@"
	dialogues -a "$work/cases" -- "${front-smtpd}" "$@"
}
# answers CASE REPLY LOG COMMAND
answers() {
	printf '\n== %s\nS: 220 *\nC: %s\nS: %s\nC: NOOP\nS: 250 ok\n' "$1" "$4" "$2"
	[ -z "$3" ] || echo "LOG: qmail-smtpd[*]: $3"
}
# sends: a message to somewhere else
sends() {
	cat <<'END'
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@elsewhere.example>
C: DATA
S: 250 ok
S: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
END
}

{
	answers 'a login' "$accepted" 'AUTH successful [192.0.2.7] tim' "$(plain tim)"
	answers 'a wrong password' "$refused" \
		'AUTH failed (bad password) [192.0.2.7] tim' "$(plain tim Secret)"
	answers 'a stranger' "$refused" \
		'AUTH failed (unknown user) [192.0.2.7] Tim' "$(plain Tim)"
	answers 'a password that has expired' "$refused" \
		'AUTH failed (password expired) [192.0.2.7] old' "$(plain old)"
	answers 'a login that is locked' "$refused" \
		'AUTH failed (bad password) [192.0.2.7] locked' "$(plain locked)"
	answers 'an entry for SCRAM is good for a password' "$accepted" \
		'AUTH successful [192.0.2.7] sam' "$(plain sam)"
	answers 'a login that is too long' "$refused" \
		"AUTH failed [192.0.2.7] 000*" "$(plain "$(printf '%0600d' 0)")"
	answers 'a login with much to be set' "$accepted" \
		'AUTH successful [192.0.2.7] big' "$(plain big)"
	answers 'a login with too much to be set' "$child" \
		'auth-cdb: exit 0, and no answer' "$(plain huge)"
	answers 'SCRAM is not offered' "$type" '' 'AUTH SCRAM-SHA-256'
	answers 'nor is CRAM-MD5' "$type" '' 'AUTH CRAM-MD5'
	cat <<END

== offered
S: 220 *
C: EHLO client
S: 250-mx.example.org
S: 250-AUTH LOGIN PLAIN
S: 250-AUTH=LOGIN PLAIN
$usual

== ALLOW_SCRAM
env ALLOW_SCRAM=1
S: 220 *
C: EHLO client
S: 250-mx.example.org
S: 250-AUTH LOGIN PLAIN SCRAM-SHA-256
S: 250-AUTH=LOGIN PLAIN SCRAM-SHA-256
$usual

== ALLOW_SCRAM, in the clear
env SSL=
env ALLOW_SCRAM=1
S: 220 *
C: EHLO client
S: 250-mx.example.org
$usual
C: AUTH SCRAM-SHA-256
S: $type

== SMTPAUTH=+cram+scram
env SMTPAUTH=+cram+scram
S: 220 *
C: EHLO client
S: 250-mx.example.org
S: 250-AUTH LOGIN CRAM-MD5 PLAIN SCRAM-SHA-256
S: 250-AUTH=LOGIN CRAM-MD5 PLAIN SCRAM-SHA-256
$usual

== SMTPAUTH=scram
env SMTPAUTH=!scram
S: 220 *
C: EHLO client
S: 250-mx.example.org
S: 250-AUTH SCRAM-SHA-256
S: 250-AUTH=SCRAM-SHA-256
$usual
C: MAIL FROM:<a@client.example>
S: 503 AUTH first (#5.5.1)

== ALLOW_CRAM, as in the run scripts of old
env ALLOW_CRAM=1
S: 421 ALLOW_CRAM not available
EOF
STATUS: 1

== a table that is not there
env AUTH_CDB=$work/none
S: 421 cannot read AUTH_CDB file
EOF
STATUS: 1
LOG: qmail-smtpd[*]: unable to read AUTH_CDB $work/none: file does not exist

== a table that is not there, and nobody may log in
env AUTH_CDB=$work/none
env SMTPAUTH=-
S: 220 *

== AUTH_CDB is empty: there is none
env AUTH_CDB=
S: 220 *
C: $(plain tim)
S: 503 auth not available (#5.3.3)

== a table that is damaged
env AUTH_CDB=$work/cut.cdb
S: 220 *
C: $(plain tim)
S: $child
LOG: auth-cdb: fatal: *
LOG: qmail-smtpd[*]: auth-cdb: exit 111, and no answer

== REQUIRE_AUTH
env REQUIRE_AUTH=1
S: 220 *
C: MAIL FROM:<a@client.example>
S: 503 AUTH first (#5.5.1)
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok

== SCRAM: what may be said instead
env ALLOW_SCRAM=1
env SMTPD_AUTH_FAILURES=0
S: 220 *
C: AUTH SCRAM-SHA-256 *
S: $cancelled
C: AUTH SCRAM-SHA-256
S: 334 
C: *
S: $cancelled
C: AUTH SCRAM-SHA-256 =
S: $malformed
C: AUTH SCRAM-SHA-256
S: 334 
C:
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'hello')
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'p=tls-unique,,n=sam,r=abcdef')
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef\0c=biws')
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: 334 *
C: *
S: $cancelled
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: 334 *
C: !
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: 334 *
C:
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: 334 *
C: $(base64_of 'c=biws,r=abcdef,p=\0')
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: 334 *
C: $(base64_of 'c=biws,r=abcdef,p=AAAA')
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of "n,,n=sam,r=$(printf '%09000d' 0)")
S: $malformed
C: $(plain tim)
S: $accepted

== SCRAM: exchanges that are broken off are counted
env ALLOW_SCRAM=1
S: 220 *
C*5: AUTH SCRAM-SHA-256 *
S*5: $cancelled
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: 334 *
C: *
S: $cancelled
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=nobody,r=abcdef')
S: 334 *
C: !
S: $malformed
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: 334 *
C: *
S: 421 too many authentication failures (#4.7.0)
EOF
END
} >"$work/input"
talk <"$work/input"
talk mx.example.org true <<END

== AUTH_CDB is before the command line
S: 220 *
C: $(plain tim)
S: $accepted
END
front=$bin/smtpd
talk <<END
== auth-cdb is beside us
env PATH=/nowhere
S: 220 *
C: $(plain tim)
S: $accepted
END
cp "$bin/smtpd" "$work/fake/smtpd"
front=$work/fake/smtpd
talk <<END
== no auth-cdb anywhere
env PATH=/nowhere
S: 220 *
C: $(plain tim)
S: $no_start
LOG: qmail-smtpd[*]: unable to run auth-cdb: file does not exist

== no auth-cdb anywhere, for SCRAM
env PATH=/nowhere
env ALLOW_SCRAM=1
S: 220 *
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: $no_start
END
unset front
# One that hangs, or says nothing of what is expected.
for how in 'exec sleep 1000' 'exit 0' 'kill -9 $$' 'exit 2' 'echo hello; exit 0' \
	'printf "bad password\0"; exit 111'; do
	printf '#!/bin/sh\n%s\n' "$how" >"$work/fake/auth-cdb"
	chmod 755 "$work/fake/auth-cdb"
	talk <<END
== an auth-cdb that does: $how
once
env PATH=$work/fake:$PATH
env SMTPD_HELPER_TIMEOUT=1
env ALLOW_SCRAM=1
S: 220 *
C: $(plain tim)
S: $child
C: AUTH SCRAM-SHA-256 $(base64_of 'n,,n=sam,r=abcdef')
S: $child
C: NOOP
S: 250 ok
END
done
rm "$work/fake/auth-cdb"

# What a login changes.
{
	cat <<END
== 47: what the queue program sees
env TCPREMOTEINFO=ident
env AUTH_SET_SETTING=all
env AUTH_SET_DKSIGN=key
env AUTH_UNSET_DKVERIFY=1
env DKVERIFY=1
env AUTHPREPEND=from-
env XAUTH_SET_A=1
S: 220 *
C: $(plain tim)
S: $accepted
$(sends)
LOG: queue: RELAYCLIENT=
LOG: queue: SMTPAUTHMETHOD=plain
LOG: queue: SMTPAUTHUSER=tim
LOG: queue: SMTP_AUTH_USER=tim
LOG: queue: TCPREMOTEINFO=from-tim
LOG: queue: SETTING=all
LOG: queue: DKSIGN=key

== before AUTH it sees nothing of it
env AUTH_SET_SETTING=all
env AUTH_UNSET_DKVERIFY=1
env DKVERIFY=1
env RELAYCLIENT=
S: 220 *
$(sends)
LOG: queue: AUTH_SET_SETTING=all
LOG: queue: AUTH_UNSET_DKVERIFY=1
LOG: queue: DKVERIFY=1

== the login's own settings are before the others
env AUTH_SET_SETTING=all
env AUTH_SET_DATABYTES=5
env AUTH_UNSET_OTHER=
S: 220 *
C: EHLO client
S: 250*
S: 250-AUTH*
S: 250-AUTH*
S: 250-SIZE 0
S*4: 250*
C: AUTH LOGIN $(base64_of kim)
S: 334 UGFzc3dvcmQ6
C: $(base64_of secret)
S: $accepted
C: EHLO client
S: 250*
S: 250-AUTH*
S: 250-AUTH*
S: 250-SIZE 7
S*4: 250*
$(sends)
LOG: queue: SETTING=kim's
LOG: queue: OTHER=a b=c
LOG: queue: DATABYTES=7
LOG: queue: SMTP_AUTH_USER=kim
LOG: queue: SMTPAUTHUSER=kim
LOG: queue: TCPREMOTEINFO=kim
LOG: queue: SMTPAUTHMETHOD=login
LOG: auth-cdb: warning: auth.cdb may not set PATH for kim
LOG: auth-cdb: warning: auth.cdb may not set SMTP_AUTH_USER for kim

== RELAYCLIENT's suffix is for strangers
env RELAYCLIENT=@suffix.example
S: 220 *
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@elsewhere.example>
C: DATA
S: 250 ok
S: 250 ok
S: 354 *
C: .
S: 250 ok *
E: Fa@client.example\\0Tu@elsewhere.example\\0\\0
LOG: queue: RELAYCLIENT=

== the operator may hide from the queue program that the client relays
env AUTH_UNSET_RELAYCLIENT=1
S: 220 *
C: $(plain tim)
S: $accepted
$(sends)
LOG: queue: SMTP_AUTH_USER=tim

== but not who the client is
env AUTH_SET_SMTP_AUTH_USER=root
env AUTH_SET_TCPREMOTEINFO=root
env AUTH_UNSET_SMTPAUTHUSER=1
S: 220 *
C: $(plain tim)
S: $accepted
$(sends)
LOG: queue: SMTP_AUTH_USER=tim
LOG: queue: SMTPAUTHUSER=tim
LOG: queue: TCPREMOTEINFO=tim

== names that are none, and none at all
env AUTH_SET_=x
env AUTH_UNSET_=x
env AUTH_SET_AUTH_SET_OTHER=once
S: 220 *
C: $(plain tim)
S: $accepted
$(sends)
LOG: queue: AUTH_SET_OTHER=once

== a login that fails changes nothing
env AUTH_SET_SETTING=all
S: 220 *
C: $(plain tim wrong)
S: $refused
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 553 *
S: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
LOG: queue: AUTH_SET_SETTING=all

== AUTH_SET_MFCHECK
env PATH=$work/fake:$PATH
env AUTH_SET_MFCHECK=2
S: 220 *
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RSET
S: 250 flushed
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)
LOG: qmail-smtpd[*]: MFCHECK fail [192.0.2.7] client.example

== AUTH_SET_MFCHECK turns it off
env PATH=$work/fake:$PATH
env MFCHECK=1
env AUTH_SET_MFCHECK=0
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok

== AUTH_UNSET_ of what a control file has
env PATH=$work/fake:$PATH
control mfcheck 0
env MFCHECK=1
env AUTH_UNSET_MFCHECK=1
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your envelope sender domain must exist (#5.7.1)
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok

== AUTH_SET_MAXRCPT
env AUTH_SET_MAXRCPT=1
S: 220 *
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok
C*100: RCPT TO:<u@elsewhere.example>
S*100: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 452 *
LOG: qmail-smtpd[*]: MAXRCPT fail [192.0.2.7]

== AUTH_SET_DATABYTES
env DATABYTES=5
env AUTH_SET_DATABYTES=100
S: 220 *
C: MAIL FROM:<a@client.example> SIZE=99
S: 552 *
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example> SIZE=99
S: 250 ok

== AUTH_SET_RELAYREJ
env AUTH_SET_RELAYREJ=1
S: 220 *
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<a%b@elsewhere.example>
S: 553 we don't relay (#5.7.1)

== AUTH_SET_QMAILSMTPD_LOG_MAIL and _RCPT
env AUTH_SET_QMAILSMTPD_LOG_MAIL=1
env AUTH_SET_QMAILSMTPD_LOG_RCPT=1
S: 220 *
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
LOG: qmail-smtpd[*]: MAIL FROM:<a@client.example>
LOG: qmail-smtpd[*]: RCPT TO:<u@elsewhere.example>

== AUTH_SET_QMAILSMTPD_HELP_VERSION
env AUTH_SET_QMAILSMTPD_HELP_VERSION=1
S: 220 *
C: $(plain tim)
S: $accepted
C: HELP
S: 214-qmail home page: http://pobox.com/~djb/qmail.html
S: 214 jms1 combined patch v7.08 http://qmail.jms1.net/patches/combined.shtml

== AUTH_SET_RCPTCHECK
env AUTH_SET_RCPTCHECK=$work/rcptcheck
S: 220 *
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 553 no mailbox here by that name
LOG: program for u@elsewhere.example

== AUTH_SET_QMAILQUEUE
env AUTH_SET_QMAILQUEUE=$work/other-queue
S: 220 *
C: $(plain tim)
S: $accepted
$(sends)
LOG: queue: another one

== those that have nothing to say of who may relay are for the queue program
env AUTH_SET_SPFBEHAVIOR=3
env AUTH_SET_SPF_LOG=1
env AUTH_SET_VALIDRCPTTO_CDB=
env AUTH_SET_VALIDRCPTTO_LIMIT=2
env AUTH_SET_VALIDRCPTTO_LOG=2
env VALIDRCPTTO_LIMIT=1
S: 220 *
C: $(plain tim)
S: $accepted
$(sends)
LOG: queue: SPFBEHAVIOR=3
LOG: queue: SPF_LOG=1
LOG: queue: VALIDRCPTTO_CDB=
LOG: queue: VALIDRCPTTO_LIMIT=2
LOG: queue: VALIDRCPTTO_LOG=2
END
} >"$work/input"
talk <"$work/input"
# What is not there is not looked for by a case.
dialogue -e "AUTH_CDB=$work/auth.cdb" -e SSL=1 -e "QMAILQUEUE=$work/queue" /dev/stdin \
	>"$work/tap" 2>&1 <<END
== what is gone with a login
env AUTH_SET_SETTING=all
env AUTH_UNSET_DKVERIFY=1
env DKVERIFY=1
env AUTH_UNSET_RELAYCLIENT=1
S: 220 *
C: $(plain tim)
S: $accepted
$(sends)
LOG: no such line
END
like "$(cat "$work/tap")" 'queue: SETTING=all' "AUTH_SET_SETTING"
unlike "$(cat "$work/tap")" 'AUTH_(UN)?SET|DKVERIFY|RELAYCLIENT' \
	"AUTH_SET_ and AUTH_UNSET_ are gone themselves, and what they remove"

# STARTTLS takes it back, and a login inside counts as the first.
cat >"$work/cases" <<END
env AUTH_CDB=$work/auth.cdb
env ALLOW_INSECURE_AUTH=1
env SMTPD_AUTH_DELAY=0
env QMAILQUEUE=$work/queue
env TCPREMOTEINFO=ident
env AUTH_SET_SETTING=all
env AUTH_SET_DATABYTES=5
env AUTH_UNSET_DKVERIFY=1
env DKVERIFY=1
== a login before STARTTLS is forgotten
once
S: 220 *
C: AUTH PLAIN $(base64_of '\0kim\0secret')
S: $accepted
C: MAIL FROM:<a@client.example> SIZE=8
S: 552 *
C: STARTTLS
S: 220 *
C: MAIL FROM:<a@client.example> SIZE=99
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 553 *
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: * (ident@192.0.2.7)\\n*
LOG: queue: AUTH_SET_SETTING=all
LOG: queue: AUTH_SET_DATABYTES=5
LOG: queue: AUTH_UNSET_DKVERIFY=1
LOG: queue: DKVERIFY=1
LOG: queue: TCPREMOTEINFO=ident

== and may come again
once
S: 220 *
C: $(plain kim)
S: $accepted
C: STARTTLS
S: 220 *
C: $(plain tim)
S: $accepted
C: MAIL FROM:<a@client.example> SIZE=6
S: 552 *
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: * (tim@192.0.2.7)\\n*
LOG: queue: SETTING=all
LOG: queue: DATABYTES=5
LOG: queue: SMTP_AUTH_USER=tim

== failures are not
once
env SMTPD_AUTH_FAILURES=2
S: 220 *
C: $(plain tim wrong)
S: $refused
C: STARTTLS
S: 220 *
C: $(plain tim wrong)
S: 421 too many authentication failures (#4.7.0)
EOF
END
dialogues "$work/cases" -- ucspi-plain smtpd
dialogue -e "AUTH_CDB=$work/auth.cdb" -e ALLOW_INSECURE_AUTH=1 \
	-e "QMAILQUEUE=$work/queue" /dev/stdin -- ucspi-plain smtpd \
	>"$work/tap" 2>&1 <<END
== what is gone with STARTTLS
S: 220 *
C: $(plain kim)
S: $accepted
C: STARTTLS
S: 220 *
C: MAIL FROM:<a@client.example>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
LOG: no such line
END
unlike "$(cat "$work/tap")" 'queue: (SETTING|OTHER|DATABYTES|RELAYCLIENT|SMTP|TCPREMOTEINFO)' \
	"nothing of the first login is in the environment of the queue program"
like "$(cat "$work/tap")" 'queue: TCPREMOTEIP=' "the rest is"

# The mechanisms that take digests.
SMTPAUTH=+cram+scram CONTROLDIR=$work/control QMAILQUEUE=$work/queue SSL=1
AUTH_CDB=$work/auth.cdb SMTPD_AUTH_DELAY=0 SMTPD_AUTH_FAILURES=0
export SMTPAUTH CONTROLDIR QMAILQUEUE AUTH_CDB SMTPD_AUTH_DELAY SMTPD_AUTH_FAILURES SSL
mkdir "$work/control"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
start_tcpserver "$work/log" -- smtpd
# login WANTED NAME ARGUMENT…: the reply, or the exit
login() {
	wanted=$1 name=$2
	shift 2
	output=$(timeout 60 smtp-login "$@" "$port")
	code=$?
	[ $code -eq 0 ] || output="$output exit $code"
	like "$output" "$wanted" "$name"
}
login '^235 ' SCRAM -l sam -p secret
like "$output" '^250 ok' "SCRAM: the client may relay"
login '^235 ' "SCRAM without an initial response" -i -l sam -p secret
login '^501 malformed' "SCRAM: an answer to our proof" -l sam -p secret -e AAAA
login '^501 auth exchange cancelled' "SCRAM: our proof is not believed" \
	-l sam -p secret -e '*'
login '^235 ' "SCRAM: an equals sign is as good as nothing" -l sam -p secret -e =
login '^501 auth exchange cancelled' "SCRAM: the client gives up" \
	-l sam -p secret -a '*'
login '^535 ' "SCRAM: another password" -l sam -p secrets
login '^535 ' "SCRAM: a stranger" -l nobody -p secret
login '^535 ' "SCRAM: a hash of crypt" -l tim -p secret
login '^535 ' "SCRAM: a password that has expired" -l sold -p secret
login '^235 ' CRAM-MD5 -m CRAM-MD5 -l cam -p secret
login '^535 ' "CRAM-MD5: another password" -m CRAM-MD5 -l cam -p secrets
login '^535 ' "CRAM-MD5: a hash of crypt" -m CRAM-MD5 -l tim -p secret
login '^535 ' "CRAM-MD5: an entry for SCRAM" -m CRAM-MD5 -l sam -p secret
login '^challenge <[0-9.]+@mx.example.org>$' "its challenge has the name of control/me" \
	-m CRAM-MD5 -l cam -p secret
stop "$server"
log=$(cat "$work/log")
like "$log" '^qmail-smtpd\[[0-9]+\]: AUTH successful \[127.0.0.1\] sam$' "log: SCRAM"
like "$log" ': AUTH failed \(bad password\) \[127.0.0.1\] sam$' "log: another password"
like "$log" ': AUTH failed \(unknown user\) \[127.0.0.1\] nobody$' "log: a stranger"
like "$log" ': AUTH failed \(bad password\) \[127.0.0.1\] tim$' "log: a hash of crypt"
like "$log" ': AUTH failed \(password expired\) \[127.0.0.1\] sold$' "log: expired"
is "$(printf '%s\n' "$log" | grep -c 'AUTH successful')" 5 \
	"a client that gives up at the end has not logged in"
unlike "$log" 'secret' "no password is in the log"

done_testing
