#!/bin/sh
# tlsd: what a session is like, with openssl's client, and with one that breaks
# the rules. tests/tls-front hands connections over and is the program.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need openssl python3
# shellcheck source=tests/tls.sh
. "$tests/tls.sh"
# shellcheck source=tests/tlsd.sh
. "$tests/tlsd.sh"

make_ca
make_certificate mail mail.example
make_certificate -k rsa:2048 other other.example
export CERTFILE="$work/mail.crt" KEYFILE="$work/mail.key"

# --- protocols ---

start_front "$work/log" echo -- -v
shake -tls1_3
is "$protocol" TLSv1.3 "TLS 1.3"
like "$(cat "$work/log")" "^tlsd: tls [0-9]+ accept TLSv1.3:TLS_[A-Z0-9_]+ \
from 127.0.0.1:[0-9]+ sni - full$" "one line says so"
shake -tls1_2 -servername mail.example
is "$protocol" TLSv1.2 "TLS 1.2"
like "$(cat "$work/log")" "accept TLSv1.2:ECDHE-ECDSA-[A-Z0-9-]+ from \
127.0.0.1:[0-9]+ sni mail.example full$" "with the name that the client asked for"
for old in 1 1_1; do
	shake -tls$old -cipher DEFAULT@SECLEVEL=0
	is "$protocol" "" "TLS $old is refused"
done
wait_for_line "$work/log" "unsupported protocol$"
like "$(cat "$work/log")" "^tlsd: warning: dropping connection, unable to \
accept TLS from 127.0.0.1:[0-9]+ for pid [0-9]+: unsupported protocol$" \
	"and the log says why"
shake -tls1_2 -cipher AES128-SHA:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA
is "$protocol" "" "no cipher without forward secrecy, or without authentication"
shake -tls1_3 -alpn smtp,h2
is "$protocol" TLSv1.3 "ALPN is no reason to refuse"
shake -servername "$(printf 'a b\033c')"
wait_for_line "$work/log" "sni a\?b\?c full$"
ok "a name from a client is made printable"
shake -servername "$(printf '%0240d' 7)"
like "$(cat "$work/log")" "sni 0{100} full$" "and cut"

# s_client's own commands: K makes a new key, R asks to negotiate anew.
(
	echo K
	wait_for_line "$work/renewed" KEYUPDATE
	echo behind-a-new-key
	wait_for_line "$work/renewed" "^behind"
) | openssl s_client -connect "127.0.0.1:$port" -tls1_3 >"$work/renewed" 2>&1
like "$(cat "$work/renewed")" "^behind-a-new-key" "keys may be renewed (TLS 1.3)"
(
	echo R
	wait_for_line "$work/again" "no renegotiation"
) | openssl s_client -connect "127.0.0.1:$port" -tls1_2 >"$work/again" 2>&1
like "$(cat "$work/again")" "no renegotiation" "nothing is negotiated anew (TLS 1.2)"

# --- how sessions end ---

is "$(client shake say:a say:b line line notify rest)" "TLSv1.3
a
b
bye
closed" "the client ends: the program reads the end, says goodbye, both close"
wait_for_line "$work/log" "end: closed$"
is "$(client shake say:a fin rest)" "TLSv1.3
a
bye
closed" "a client that closes without close_notify still gets the rest"
wait_for_line "$work/log" "end: cut off by the client without close_notify$"
ok "with -v, the log says so"
client shake say:a line reset >/dev/null
wait_for_line "$work/log" "end: the network broke$"
ok "a client that resets ends its session"
is "$(client shake both:3000000 notify count)" "TLSv1.3
3000000
4
closed" "three megabytes there and back"
stop "$front"

start_front "$work/talk-log" talk -- -v
is "$(client shake rest)" "TLSv1.3
hello
closed" "the program closes its side: the client reads the end"
is "$(client shake line rest say:a much:100000 notify)" "TLSv1.3
hello
closed" "and may still speak"
wait_for_line "$work/talk-log" "read 100002 bytes"
ok "to a program that still reads"
stop "$front"

start_front "$work/flood-log" flood -- -v
is "$(client shake both:8388608 notify count)" "TLSv1.3
8388608
0
closed" "a program that does not read does not keep its own words back"
wait_for_line "$work/flood-log" "read 8388608 bytes"
ok "and reads everything later"
stop "$front"

start_front "$work/deaf-log" deaf -- -v
is "$(client shake much:1000000 notify rest)" "TLSv1.3
deaf
closed" "a program that reads nothing is still heard"
stop "$front"

# --- handshakes that fail ---

start_front "$work/bad-log" echo -- -T 2 -w 2 -v
head -c 5000 "$work/mail.key" >"$work/garbage"
client raw-from:"$work/garbage" end >/dev/null
wait_for_line "$work/bad-log" "unable to accept TLS .*: [a-z ]+$"
wait_for_line "$work/bad-log" "nobody reads"
ok "garbage ends at once"
like "$(cat "$work/bad-log")" "no block" "the program that asked with Y sees an end, and no NULs"
client "raw:GET / HTTP/1.0" end >/dev/null
wait_for_line "$work/bad-log" ": http request$"
ok "a browser is called one"
printf '\026\003\001\002\000\001' >"$work/beginning"
client raw-from:"$work/beginning" fin end >/dev/null
wait_for_line "$work/bad-log" ": the client closed the connection$"
ok "a handshake that is cut off ends at once"
count_of() {
	grep -c "$1" "$work/bad-log"
}
is "$(client raw-from:"$work/beginning" end)" end \
	"one that goes no further ends after -T"
wait_for_line "$work/bad-log" ": timed out$"
like "$(client shake-slowly)" "^no TLS: (reset|end of file)$" \
	"bytes that drip in do not make it longer"
is "$(count_of ': timed out$')" 2 "both timed out"
is "$(client shake say:a line rest)" "TLSv1.3
a
closed" "a session where nothing moves is closed after -w"
wait_for_line "$work/bad-log" "end: idle for too long$"
is "$(client shake say:a line raw:no-tls rest | tail -n 2 | head -n 1)" a \
	"plain text in the middle"
wait_for_line "$work/bad-log" "^tlsd: warning: dropping connection, unable to \
speak TLS with 127.0.0.1:[0-9]+ for pid [0-9]+: wrong version number$"
ok "ends the session, and is logged"
stop "$front"

# --- the control socket ---

start_front "$work/y-log" -c y echo -- -q
is "$(client shake say:a line notify rest)" "TLSv1.3
a
bye
closed" "y starts TLS"
wait_for_line "$work/y-log" "reply b''"
unlike "$(cat "$work/y-log")" "tlsd:" "and nothing is said, nor logged with -q"
stop "$front"

start_front "$work/i-log" -i talk -- -q
is "$(client shake rest)" "TLSv1.3
hello
closed" "TLS at once"
stop "$front"

start_front "$work/none-log" -c none echo --
is "$(client end)" end "a program that does without TLS ends without"
wait_for_line "$work/none-log" "nobody reads"
unlike "$(cat "$work/none-log")" "tlsd:" "which is not worth a line"
stop "$front"

start_front "$work/x-log" -c x echo --
client end >/dev/null
wait_for_line "$work/x-log" "^tlsd: warning: dropping connection, no TLS for \
127.0.0.1:[0-9]+, pid [0-9]+: unknown command on the control socket$"
wait_for_line "$work/x-log" "end of input"
ok "another byte: the session is dropped, and logged"
stop "$front"

start_front "$work/plain-log" plain --
is "$(client plain raw:hi plain shake say:a line notify rest)" "plain
now TLS
TLSv1.3
a
bye
closed" "plain text goes before, past tlsd"
like "$(cat "$work/plain-log")" "in plain b'hi" "to the program"
stop "$front"

start_front "$work/one-log" -1 echo -- -v
is "$(client shake say:a line notify rest)" "TLSv1.3
a
bye
closed" "-1: a tlsd for one session"
like "$(cat "$work/one-log")" "^tlsd: tls [0-9]+ accept TLSv1.3" "logs the same"
stop "$front"
start_front "$work/one-log" -1 -c none echo -- -v
client end >/dev/null
wait_for_line "$work/one-log" "nobody reads"
ok "-1, and nobody asks for TLS"
stop "$front"

# --- what the program is told ---

start_front "$work/few-log" echo --
client shake notify rest >/dev/null
is "$(sed -n 's/^program: block //p' "$work/few-log")" \
	"'SSL_PROTOCOL=TLSv1.3' 'SSL_CIPHER=TLS_AES_256_GCM_SHA384'" \
	"without -s: the protocol and the cipher"
stop "$front"
start_front "$work/all-log" -s echo --
shake -servername Mail.example
block=$(sed -n 's/^program: block //p' "$work/all-log")
for variable in SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=TLS_AES_256_GCM_SHA384 \
	SSL_CIPHER_ALGKEYSIZE=256 SSL_CIPHER_USEKEYSIZE=256 \
	SSL_CIPHER_EXPORT=false SSL_TLS_SNI_SERVERNAME=Mail.example \
	SSL_VERIFY_STATUS=NOCERT SSL_SERVER_A_KEY=id-ecPublicKey \
	SSL_SERVER_A_SIG=ecdsa-with-SHA256 SSL_SERVER_M_VERSION=3 \
	SSL_SERVER_S_DN=/CN=mail.example SSL_SERVER_S_DN_CN=mail.example \
	SSL_VERSION_INTERFACE=ucspi-ssl; do
	like "$block" "'$variable'" "$variable"
done
for variable in "SSL_SESSION_ID=[0-9a-f]{64}" "SSL_SERVER_M_SERIAL=[0-9A-F]+" \
	"SSL_VERSION_LIBRARY=OpenSSL 3" "SSL_SERVER_I_DN_CN=Test CA" \
	"SSL_SERVER_V_START=[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} [0-9]{4} GMT" \
	"SSL_SERVER_V_END=[A-Z]" \
	"SSL_SERVER_CERT=-----BEGIN CERTIFICATE"; do
	like "$block" "'$variable" "$variable"
done
unlike "$block" SSL_CLIENT "nothing of a client that shows nothing"
shake -servername 'bad name'
unlike "$(sed -n 's/^program: block //p' "$work/all-log" | tail -n 1)" \
	SNI_SERVERNAME "what is no host name is not passed on"
stop "$front"

# --- resuming, in processes that never saw the session ---

start_front "$work/resume-log" echo --
for version in 1_2 1_3; do
	shake -tls$version -sess_out "$work/session"
	is "$reused" New "TLS $version: a new session"
	shake -tls$version -sess_in "$work/session" -sess_out "$work/session"
	is "$reused" Reused "TLS $version: resumed"
	shake -tls$version -sess_in "$work/session" -sess_out "$work/session"
	is "$reused" Reused "TLS $version: resumed once more, with the new ticket"
done
is "$(grep -c ' resumed$' "$work/resume-log")" 4 "the log says which were resumed"
is "$(grep -c ' full$' "$work/resume-log")" 2 "and which not"
cp "$work/session" "$work/stranger"
stop "$front"

start_front "$work/resume-log" echo --
shake -tls1_3 -sess_in "$work/stranger"
is "$reused" New "another tlsd cannot read the ticket, which does no harm"
stop "$front"

start_front "$work/resume-log" echo -- -t 0
shake -tls1_3 -sess_out "$work/session"
shake -tls1_2 -sess_out "$work/session"
unlike "$(cat "$work/shaken")" "session ticket" "-t 0: no tickets"
stop "$front"

start_front "$work/turn-log" echo -- -t 2
end=$(($(date +%s) + 6))
shake -tls1_3 -sess_out "$work/session"
all=Reused
while [ "$(date +%s)" -lt $end ]; do
	shake -tls1_3 -sess_in "$work/session" -sess_out "$work/session"
	[ "$reused" = Reused ] || all=$reused
done
is "$all" Reused "the keys of tickets change, and those before still do"
is "$(grep -c ' full$' "$work/turn-log")" 1 "one full handshake in all that time"
stop "$front"

done_testing
