#!/bin/sh
# tlsd: clients who hold on to what they have, and mistakes of those who start
# it, which must not cost what runs already.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need openssl python3
# shellcheck source=tests/tls.sh
. "$tests/tls.sh"
# shellcheck source=tests/tlsd.sh
. "$tests/tlsd.sh"

make_ca
make_certificate mail mail.example
make_certificate second second.example
export CERTFILE="$work/mail.crt" KEYFILE="$work/mail.key"

# --- a program that is gone: who limits sessions counts this one no more ---

start_front "$work/stuff-log" -b 4096 stuff -- -w 4 -v
client shake wait:"$work/go" drip >/dev/null &
drip=$!
wait_for_line "$work/stuff-log" "has said all"
touch "$work/go"
wait_for_line "$work/stuff-log" "end: "
like "$(cat "$work/stuff-log")" "end: idle for too long$" \
	"a client that takes the last words slowly is not waited for"
kill $drip
wait $drip 2>/dev/null
stop "$front"

# --- a session of another name (RFC 6066 section 3) ---

front_environment="CERTFILE:second.example=$work/second"
start_front "$work/log" -s echo --
front_environment=
shake -tls1_2 -servername mail.example -sess_out "$work/session"
shake -tls1_2 -servername MAIL.example -sess_in "$work/session"
is "$reused" Reused "TLS 1.2: resumed for the same name"
for name in "-servername second.example" "-servername x.example" -noservername; do
	# shellcheck disable=SC2086 # a list of words
	shake -tls1_2 $name -sess_in "$work/session"
	is "$protocol $reused" "TLSv1.2 New" "and not with $name"
done
shake -tls1_2 -servername second.example -sess_in "$work/session"
like "$(cat "$work/shaken")" "^subject=CN = second.example" \
	"which gets its own certificate"
like "$(sed -n 's/^program: block //p' "$work/log" | tail -n 1)" \
	"'SSL_TLS_SNI_SERVERNAME=second.example'" "and is known by its own name"
stop "$front"

# --- descriptors that have run out at a reload ---

if command -v prlimit >/dev/null 2>&1; then
	start_front "$work/log" echo --
	worker=$(pgrep -P "$tlsd")
	prlimit --pid "$tlsd" --nofile=5:
	kill -HUP "$tlsd"
	wait_for_line "$work/log" "going on with what was loaded before"
	is "$(pgrep -P "$tlsd")" "$worker" "no room for a new worker: the old one goes on"
	prlimit --pid "$tlsd" --nofile=100:
	kill -HUP "$tlsd"
	wait_for_line "$work/log" "^tlsd: reloaded$"
	shake
	is "$protocol" TLSv1.3 "and the next reload works"
	stop "$front"
fi

# --- a worker that ends while the files are bad ---

cp "$work/mail.crt" "$work/live.crt"
CERTFILE="$work/live.crt" start_front "$work/log" echo --
: >"$work/live.crt"
kill -KILL "$(pgrep -P "$tlsd")"
wait_for_line "$work/log" "^tlsd: fatal: unable to load certificate "
cp "$work/mail.crt" "$work/live.crt"
shake
is "$protocol" TLSv1.3 "another is started as soon as they are good"
stop "$front"

# --- the socket's path ---

echo precious >"$work/precious"
"$bin/tlsd" "$work/precious" 2>"$work/said" &
mistaken=$!
started="$started $mistaken"
wait_until test -s "$work/said" && wait $mistaken
is "$? $(cat "$work/said")" "100 tlsd: fatal: $work/precious is there and no socket" \
	"a file that is no socket is not taken for one"
is "$(cat "$work/precious")" precious "and not touched"

"$bin/tlsd" -f 1 "$work/socket" >"$work/ready" 2>"$work/log" &
first=$!
started="$started $first"
wait_until test -s "$work/ready"
CERTFILE=/nowhere "$bin/tlsd" "$work/socket" 2>"$work/said"
is "$?" 111 "a second tlsd that cannot start"
is "$(echo "$work"/socket*)" "$work/socket" "leaves nothing behind"
start_front "$work/front-log" -x "$work/socket" echo --
is "$(client shake say:still line notify rest | sed -n 2p)" still \
	"and does not take the first one's place"
stop "$front"
stop "$first"

# --- nobody else gets at the password and at what tickets are made of ---

other=
mkdir -m 777 "$work/open"
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$work"
	chmod 644 "$work/mail.key"
	other='setpriv --reuid=65534 --regid=65534 --clear-groups'
fi
# shellcheck disable=SC2086 # a list of words
$other "$bin/tlsd" -f 1 "$work/open/socket" >"$work/begun" 2>"$work/log" &
loader=$!
started="$started $loader"
wait_until test -s "$work/begun"
for secret in mem environ maps; do
	# shellcheck disable=SC2086 # a list of words
	$other head -c 1 "/proc/$loader/$secret" >/dev/null 2>"$work/denied"
	like "$(cat "$work/denied")" "ermission denied" \
		"the user that tlsd was started as cannot read the loader's $secret"
done
stop "$loader"

done_testing
