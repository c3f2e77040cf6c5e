#!/bin/sh
# The plugins of scripts/plugins, at work in smtpd.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need openssl cdb
plugins=$top/scripts/plugins

# from NAME REPLY [SETTING…]: a client that calls itself NAME, and the reply to MAIL
from() {
	echo
	echo "== refuse-own-helo: ${3:-} $1: $2"
	from_name=$1
	from_reply=$2
	shift 2
	[ $# -eq 0 ] || printf '%s\n' "$@"
	cat <<END
S: 220 *
C: HELO $from_name
S: 250 *
C: MAIL FROM:<>
S: $from_reply
END
}
ours='550 that is our name, not yours (#5.7.1)'
{
	cat <<END
env ENABLE_SPP=
control smtpplugins [helo]\n$plugins/refuse-own-helo
control me mx.example.org
control locals example.org\nother.example
env TCPLOCALIP=192.0.2.1
END
	from mx.example.org "$ours"
	echo 'LOG: refuse-own-helo: 192.0.2.7'
	from MX.Example.ORG. "$ours"
	from other.example "$ours"
	from host.example "$ours" 'control localiphost host.example'
	from 192.0.2.1 "$ours"
	from '[192.0.2.1]' "$ours"
	from '[IPv6:2001:db8::1]' "$ours" 'env TCPLOCALIP=2001:db8::1'
	from client.example.net '250 ok'
	from mx.example '250 ok'
	from mx-example.org '250 ok'
	from 'mx.example.*' '250 ok'
	# shellcheck disable=SC2016 # what must not be expanded
	from '$(echo mx.example.org)' '250 ok'
	from '-e mx.example.org' '250 ok'
	from '' '250 ok'
	from mx.example.org '250 ok' 'env RELAYCLIENT='
	from mx.example.org '250 ok' 'env TCPREMOTEIP=127.0.0.1'
	from mx.example.org '250 ok' 'env TCPREMOTEIP=192.0.2.1'
} >"$work/helo.txt"
dialogues "$work/helo.txt"

hash=$(openssl passwd -6 secret)
printf '+3,%d:joe->%s\n+4,%d:jane->%s\n\n' ${#hash} "$hash" ${#hash} "$hash" >"$work/auth"
cdb -c "$work/auth.cdb" "$work/auth"
mkdir -p "$work/count/2020010203" "$work/count/other" "$work/count2"
: >"$work/count/2020010203/file"
# An hour that does not end in the middle of the test.
mkdir "$work/bin"
printf '#!/bin/sh\necho 2026010112\n' >"$work/bin/date"
chmod 755 "$work/bin/date"
cat >"$work/limit.txt" <<END
env ENABLE_SPP=
env PATH=$work/bin:$PATH
env AUTH_CDB=$work/auth.cdb
env ALLOW_INSECURE_AUTH=1
env LIMIT_RECIPIENTS=2
env LIMIT_RECIPIENTS_DIR=$work/count
control smtpplugins [rcpt]\n$plugins/limit-recipients
== limit-recipients: a login has so many
S: 220 *
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 235 *
C: MAIL FROM:<>
C*4: RCPT TO:<u@elsewhere.example>
S*3: 250 ok
S*2: 450 too many recipients in this hour, try again later (#4.7.1)
LOG: limit-recipients: more than 2 in this hour [192.0.2.7]

== also in its next session
S: 220 *
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 235 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 450 *

== another one has its own
S: 220 *
C: AUTH PLAIN AGphbmUAc2VjcmV0
S: 235 *
C: MAIL FROM:<>
C*2: RCPT TO:<u@elsewhere.example>
S*3: 250 ok

== who has not logged in is not counted
S: 220 *
C: MAIL FROM:<>
C*5: RCPT TO:<u@example.org>
S*6: 250 ok

== 200, when nobody says how many
env LIMIT_RECIPIENTS
env LIMIT_RECIPIENTS_DIR=$work/count2
S: 220 *
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 235 *
C: MAIL FROM:<>
C*10: RCPT TO:<u@elsewhere.example>
S*11: 250 ok

== where nothing can be counted, nobody sends
env LIMIT_RECIPIENTS_DIR=/dev/null/folder
S: 220 *
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 235 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 451 unable to count recipients (#4.3.0)
LOG: limit-recipients: unable to make /dev/null/folder/*

== nor where a setting is wrong
env LIMIT_RECIPIENTS=many
S: 220 *
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 235 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 451 unable to count recipients (#4.3.0)
LOG: limit-recipients: LIMIT_RECIPIENTS is no number

== or missing
env LIMIT_RECIPIENTS_DIR
S: 220 *
C: AUTH PLAIN AGpvZQBzZWNyZXQ=
S: 235 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 451 *
LOG: limit-recipients: LIMIT_RECIPIENTS_DIR is not set
END
dialogues "$work/limit.txt"
is "$(cd "$work/count" && echo [0-9]* other | grep -c 2020)" 0 'an hour that is over is removed'
is "$([ -d "$work/count/other" ] && echo yes)" yes 'and nothing else'

done_testing
