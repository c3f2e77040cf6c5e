#!/bin/sh
# tlsd: its certificates, its processes, and how they begin and end.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need openssl python3
# shellcheck source=tests/tls.sh
. "$tests/tls.sh"
# shellcheck source=tests/tlsd.sh
. "$tests/tlsd.sh"

make_ca
make_ca stranger-ca "Nobody's CA"
make_certificate mail mail.example
make_certificate -k rsa:2048 rsa mail.example
make_certificate second second.example
make_certificate -d -1 expired mail.example
make_certificate -s "/O=Clients/CN=client one" client client.example
make_certificate -c stranger-ca stranger stranger.example
export CERTFILE="$work/mail.crt" KEYFILE="$work/mail.key"

subject() {
	sed -n 's/^subject=//p' "$work/shaken"
}
is_gone() {
	! kill -0 "$1" 2>/dev/null
}
# children PID: its child processes
children() {
	pgrep -P "$1"
}

# --- refused at the start ---

# refused NAME LINE VARIABLE=VALUE…: exit 111 and that line
refused() {
	refused_name=$1
	refused_line=$2
	shift 2
	env "$@" "$bin/tlsd" $refused_option "$work/unused-socket" \
		2>"$work/refusal"
	code=$?
	like "$(cat "$work/refusal")" "^tlsd: fatal: $refused_line" \
		"$refused_name: a clear line"
	is "$code $(wc -l <"$work/refusal")" "111 1" "exit 111, and one line only"
}
refused_option=
refused "no certificate set" "unable to load certificate: CERTFILE is not set$" \
	CERTFILE=
refused "no certificate there" \
	"unable to load certificate /nowhere/x.pem: file does not exist$" \
	CERTFILE=/nowhere/x.pem
echo no certificate >"$work/text"
refused "no certificate in it" \
	"unable to load certificate $work/text: no start line$" CERTFILE="$work/text"
: >"$work/empty"
refused "an empty file" "unable to load certificate $work/empty: no start line$" \
	CERTFILE="$work/empty"
refused "no key there" "unable to load key /nowhere/x.key: file does not exist$" \
	KEYFILE=/nowhere/x.key
refused "no key in it" "unable to load key $work/mail.crt: " KEYFILE=
refused "another one's key" \
	"key does not match certificate: $work/second.key and $work/mail.crt$" \
	KEYFILE="$work/second.key"
refused "another kind of key" "key does not match certificate: " \
	KEYFILE="$work/rsa.key"
refused "an old certificate" "certificate $work/expired.crt has expired$" \
	CERTFILE="$work/expired.crt" KEYFILE="$work/expired.key"
refused "bad ciphers" "unable to set cipher list: no cipher match$" \
	CIPHERS=FOO:BAR
refused "a key too few" "there are not as many keys as certificates$" \
	CERTFILE="$work/mail.crt,$work/rsa.crt"
refused "bad DH parameters" "unable to load DH parameters $work/text: " \
	DHFILE="$work/text"
refused "a bad one for a name" "unable to load key /nowhere/x: file does not exist$" \
	"CERTFILE:a.example=$work/second.crt" "KEYFILE:a.example=/nowhere/x"
refused_option=-i
refused "no CA" "unable to load CA list: neither CAFILE, CADIR nor CCAFILE is set$"
refused "no CA there" "unable to load CA list /nowhere/ca: file does not exist$" \
	CAFILE=/nowhere/ca
refused "no CA folder there" "unable to load CA list /nowhere: file does not exist$" \
	CADIR=/nowhere
"$bin/tlsd" -z 2>"$work/usage"
is "$?" 100 "an unknown option is wrong use"
"$bin/tlsd" </dev/null 2>"$work/usage"
is "$? $(cat "$work/usage")" \
	"100 tlsd: fatal: descriptor 0 is no SOCK_SEQPACKET socket" \
	"so is descriptor 0 that is no socket"
SSL_UID=root "$bin/tlsd" "$work/unused-socket" 2>"$work/usage"
is "$?" 100 "and an SSL_UID that is no number"

# --- a key with a password ---

openssl pkey -in "$work/mail.key" -aes256 -passout pass:secret \
	-out "$work/locked.key"
refused_option=
refused "a password that nobody gave" "unable to load key $work/locked.key: " \
	KEYFILE="$work/locked.key"
mkfifo "$work/password"
printf 'secret\0more' >"$work/password" &
KEYFILE="$work/locked.key" start_front "$work/log" echo -- -3 3<"$work/password"
shake
is "$protocol" TLSv1.3 "-3: the password on descriptor 3"
kill -HUP "$tlsd"
wait_for_line "$work/log" "^tlsd: reloaded$"
shake
is "$protocol" TLSv1.3 "which is still known at a reload"
stop "$front"

# --- several certificates ---

CERTFILE="$work/mail.crt,$work/rsa.crt" KEYFILE="$work/mail.key,$work/rsa.key" \
	start_front "$work/log" echo --
shake -tls1_2
like "$(cat "$work/shaken")" "Cipher is ECDHE-ECDSA" "two for one name: ECDSA"
shake -tls1_2 -cipher aRSA
like "$(cat "$work/shaken")" "Cipher is ECDHE-RSA" "or RSA, as the client can"
stop "$front"

make_certificate wild "*.wild.example"
cat "$work/second.crt" "$work/second.key" >"$work/both.pem"
front_environment="CERTFILE:second.example=$work/both.pem \
CERTFILE:*.wild.example=$work/wild.crt KEYFILE:*.wild.example=$work/wild.key"
start_front "$work/log" echo --
front_environment=
for names in "-noservername CN = mail.example" \
	"-servername=x.example CN = mail.example" \
	"-servername=second.example CN = second.example" \
	"-servername=SECOND.Example CN = second.example" \
	"-servername=a.wild.example CN = *.wild.example" \
	"-servername=a.b.wild.example CN = mail.example" \
	"-servername=wild.example CN = mail.example"; do
	name=${names%% *}
	case $name in
	*=*) shake "${name%%=*}" "${name#*=}" ;;
	*) shake "$name" ;;
	esac
	is "$(subject)" "${names#* }" "$names"
done
shake -servername second.example -tls1_2 -sess_out "$work/session"
shake -servername second.example -tls1_2 -sess_in "$work/session"
is "$reused" Reused "a session with a name is resumed, too"
stop "$front"

cat "$work/mail.crt" "$work/ca.pem" >"$work/chain.pem"
CERTCHAINFILE="$work/chain.pem" CERTFILE=/nowhere start_front "$work/log" echo --
shake -CAfile "$work/ca.pem" -showcerts
like "$(cat "$work/shaken")" "Verify return code: 0 " "CERTCHAINFILE is preferred"
is "$(grep -c BEGIN "$work/shaken")" 2 "and its chain is sent"
stop "$front"

openssl dhparam -dsaparam -out "$work/dh.pem" 2048 2>/dev/null
CIPHERS=DHE-ECDSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256 DHFILE="$work/dh.pem" \
	CERTFILE="$work/rsa.crt" KEYFILE="$work/rsa.key" start_front "$work/log" echo --
shake -tls1_2
like "$(cat "$work/shaken")" "Server Temp Key: DH, 2048" "CIPHERS and DHFILE"
stop "$front"

# --- the word of the CA ---

touch "$work/index"
openssl ocsp -index "$work/index" -CA "$work/ca.pem" -rsigner "$work/ca.pem" \
	-rkey "$work/ca.key" -issuer "$work/ca.pem" -cert "$work/mail.crt" \
	-respout "$work/staple" -ndays 7 >/dev/null 2>&1
OCSPFILE="$work/staple" start_front "$work/log" echo --
shake -status -servername mail.example
like "$(cat "$work/shaken")" "OCSP Response Status: successful" "an OCSP response is stapled"
stop "$front"
# The third time in it is that of the next one.
perl -0777 -pi -e 's/((?:\x18\x0f\d{14}Z.*?){2}\x18\x0f)\d{14}Z/${1}20200101000000Z/s' \
	"$work/staple"
for trouble in "$work/staple is too old" "$work/text: " \
	"/nowhere/s: file does not exist"; do
	OCSPFILE=${trouble%%[: ]*} start_front "$work/log" echo --
	shake -status
	like "$(cat "$work/shaken")" "OCSP response: no response sent" \
		"not stapled: $trouble"
	like "$(cat "$work/log")" "^tlsd: warning: .*OCSP response $trouble" \
		"but warned of"
	stop "$front"
done

# --- certificates of clients ---

block() {
	sed -n 's/^program: block //p' "$work/log" | tail -n 1
}
CAFILE="$work/ca.pem" start_front "$work/log" -s echo -- -i
shake -cert "$work/client.crt" -key "$work/client.key"
like "$(block)" "'SSL_VERIFY_STATUS=OK' .*'SSL_PEER_CERT_HASH=SHA256:[0-9a-f]{64}'" \
	"-i: a certificate of the CA is accepted"
like "$(block)" "'SSL_PEER_CERT_SUBJECT=/O=Clients/CN=client one'" "and named"
like "$(block)" "'SSL_CLIENT_S_DN_O=Clients'.*'SSL_CLIENT_I_DN_CN=Test CA'" "by its parts"
shake -tls1_2
is "$protocol" "" "none: refused"
wait_for_line "$work/log" ": peer did not return a certificate$"
shake -tls1_2 -cert "$work/stranger.crt" -key "$work/stranger.key"
is "$protocol" "" "another CA's: refused"
wait_for_line "$work/log" ": unable to get local issuer certificate$"
ok "and the log says why"
shake -tls1_3 -cert "$work/stranger.crt" -key "$work/stranger.key"
like "$(cat "$work/shaken-errors")" "alert unknown ca" "with TLS 1.3 as well"
shake -tls1_3 -cert "$work/client.crt" -key "$work/client.key" \
	-sess_out "$work/session"
shake -tls1_3 -sess_in "$work/session"
like "$reused $(block)" "^Reused .*'SSL_VERIFY_STATUS=OK' .*/CN=client one" \
	"who resumes is still known"
cat "$work/stranger-ca.pem" >>"$work/ca.pem"
kill -HUP "$tlsd"
wait_for_line "$work/log" "^tlsd: reloaded$"
shake -tls1_3 -sess_in "$work/session"
unlike "$reused" Reused "but not when the CAs have changed"
stop "$front"
CCAFILE="$work/stranger-ca.pem" start_front "$work/log" -s echo --
shake
like "$(block)" "'SSL_VERIFY_STATUS=NOCERT'" "CCAFILE: none is as well"
like "$(cat "$work/shaken")" "Nobody's CA" "but one of that CA is asked for"
shake -cert "$work/stranger.crt" -key "$work/stranger.key"
like "$(block)" "'SSL_VERIFY_STATUS=OK'" "a good one is called so"
shake -cert "$work/client.crt" -key "$work/client.key"
like "$(block)" "'SSL_VERIFY_STATUS=FAIL' 'SSL_VERIFY_STRING=unable to " \
	"and a bad one is called that"
stop "$front"

# --- reload ---

cp "$work/mail.crt" "$work/live.pem"
cp "$work/mail.key" "$work/live.key"
CERTFILE="$work/live.pem" KEYFILE="$work/live.key" \
	start_front "$work/log" plain --
old_worker=$(children "$tlsd")
client plain raw:a plain shake say:before line touch:"$work/in" \
	wait:"$work/go" say:after line notify rest >"$work/running" &
running=$!
client plain touch:"$work/waits" wait:"$work/go" raw:a plain shake \
	say:late line notify rest >"$work/waiting" &
waiting=$!
wait_until test -e "$work/in"
wait_until test -e "$work/waits"
cp "$work/second.key" "$work/live.key"
kill -HUP "$tlsd"
wait_for_line "$work/log" "going on with what was loaded before"
like "$(cat "$work/log")" "^tlsd: fatal: key does not match certificate: " \
	"a bad key is refused at a reload"
is "$(children "$tlsd")" "$old_worker" "and all stays as it was"
cp "$work/second.crt" "$work/live.pem"
kill -HUP "$tlsd"
wait_for_line "$work/log" "^tlsd: reloaded$"
unlike "$(children "$tlsd" | grep -v "^$old_worker$")" "^$" "a new worker"
touch "$work/go"
wait "$running" "$waiting"
is "$(tail -n 3 "$work/running")" "after
bye
closed" "a session goes on over a reload"
is "$(sed -n 3,4p "$work/waiting")" "TLSv1.3
late" "and one in plain text can still start TLS"
wait_until is_gone "$old_worker"
ok "then the old worker ends"
stop "$front"

CERTFILE="$work/live.pem" KEYFILE="$work/live.key" start_front "$work/log" echo --
shake -tls1_3 -sess_out "$work/session"
kill -HUP "$tlsd"
wait_for_line "$work/log" "^tlsd: reloaded$"
shake -tls1_3 -sess_in "$work/session"
is "$reused" Reused "sessions are resumed over a reload"
kill -KILL "$(children "$tlsd")"
wait_for_line "$work/log" "^tlsd: warning: the worker has ended \(status 9\), starting another$"
shake -tls1_3 -sess_in "$work/session" -sess_out "$work/session"
is "$protocol $reused" "TLSv1.3 Reused" "and over a worker that was killed"
kill -KILL "$(children "$(children "$tlsd")")"
wait_for_line "$work/log" "^tlsd: warning: the worker has ended \(status 512\), starting another$"
shake -tls1_3 -sess_in "$work/session"
is "$protocol $reused" "TLSv1.3 Reused" "and over a keeper of the keys that was"
stop "$front"

# --- the end ---

rm -f "$work/in" "$work/go" "$work/waits"
start_front "$work/log" plain --
worker=$(children "$tlsd")
client plain raw:a plain shake say:before line touch:"$work/in" \
	wait:"$work/go" say:after line notify rest >"$work/running" &
running=$!
client plain touch:"$work/waits" wait:"$work/go" raw:a plain shake \
	say:late line notify rest >"$work/waiting" &
waiting=$!
wait_until test -e "$work/in"
wait_until test -e "$work/waits"
kill "$tlsd"
wait_until is_gone "$tlsd"
ok "SIGTERM ends tlsd"
touch "$work/go"
wait "$running" "$waiting"
is "$(tail -n 3 "$work/running")" "after
bye
closed" "not its sessions"
is "$(sed -n 4p "$work/waiting")" late "nor those that wait"
wait_until is_gone "$worker"
ok "and then the worker ends"
stop "$front"

rm -f "$work/waits" "$work/go"
start_front "$work/log" plain --
worker=$(children "$tlsd")
client plain touch:"$work/waits" wait:"$work/go" raw:a plain shake say:late \
	line notify rest >"$work/waiting" &
waiting=$!
wait_until test -e "$work/waits"
stop "$front"
kill -0 "$tlsd"
is "$?" 0 "nobody holds the socket, but a session waits: tlsd stays"
touch "$work/go"
wait "$waiting"
is "$(sed -n 4p "$work/waiting")" late "for that session"
wait_until is_gone "$tlsd"
ok "then it ends"

# --- a socket in the file system ---

echo leftover >"$work/not-a-socket"
"$bin/tlsd" -f 1 "$work/socket" >"$work/ready" 2>"$work/log" &
tlsd=$!
started="$started $tlsd"
wait_until test -s "$work/ready"
start_front "$work/front-log" -x "$work/socket" echo --
for session in first second; do
	is "$(client shake say:$session line notify rest)" "TLSv1.3
$session
bye
closed" "over a path: the $session session"
done
stop "$tlsd"
"$bin/tlsd" -f 1 "$work/socket" >"$work/ready-again" 2>"$work/log" &
tlsd=$!
started="$started $tlsd"
wait_until test -s "$work/ready-again"
is "$(client shake say:third line notify rest | sed -n 2p)" third \
	"the next tlsd takes the name over"
stop "$tlsd"
stop "$front"

# --- many that wait ---

start_front "$work/log" -n 1000 echo --
is "$(client shake say:a line notify rest)" "TLSv1.3
a
bye
closed" "a session while a thousand wait"
stop "$front"
wait_until is_gone "$tlsd"
is "$(grep -c warning "$work/log")" 0 "which end in silence"

start_front "$work/log" -n 5 echo -- -c 5
is "$(client end)" end "one too many sees an end"
wait_for_line "$work/log" "^tlsd: warning: dropping connection, no TLS for \
127.0.0.1:[0-9]+, pid [0-9]+: too many sessions are waiting$"
ok "and is logged"
stop "$front"
start_front "$work/log" -n 4 echo -- -c 5
for _ in 1 2 3; do client shake notify rest; done >/dev/null
is "$(client shake notify rest)" "TLSv1.3
bye
closed" "places are used again"
stop "$front"

(
	ulimit -n 140 2>/dev/null
	exec tls-front -n 20 echo "$bin/tlsd" >"$work/port-140" 2>"$work/log"
) &
front=$!
started="$started $front"
wait_for_line "$work/log" "too many sessions are waiting$"
ok "few descriptors: what cannot be taken is let go"
stop "$front"

# --- nobody else gets at the key ---

start_front "$work/log" echo --
worker=$(children "$tlsd")
keeper=$(children "$worker")
if [ "$(id -u)" -eq 0 ]; then
	look='setpriv --reuid=65534 --regid=65534 --clear-groups'
	stop "$front"
	export SSL_UID=65534 SSL_GID=65534
	start_front "$work/log" echo --
	unset SSL_UID SSL_GID
	worker=$(children "$tlsd")
	for pid in "$worker" "$(children "$worker")"; do
		is "$(sed -n 's/^Uid:[[:space:]]*//p' "/proc/$pid/status" | tr '\t' ' ')" \
			"65534 65534 65534 65534" "SSL_UID: each is that user"
		is "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status" | tr -d ' ')" \
			65534 "SSL_GID: and in that group only"
	done
	is "$(sed -n 's/^Uid:[[:space:]]*//p' "/proc/$tlsd/status" | cut -f 1)" 0 \
		"the loader is still root, for the next reload"
	kill -HUP "$tlsd"
	wait_for_line "$work/log" "^tlsd: reloaded$"
	ok "which works"
	worker=$(children "$tlsd" | tail -n 1)
	keeper=$(children "$worker")
else
	look=
	skip 'not root' 'SSL_UID and SSL_GID'
fi
for secret in "$keeper/mem" "$keeper/environ" "$keeper/maps" "$worker/mem"; do
	# shellcheck disable=SC2086 # a list of words
	$look head -c 1 "/proc/$secret" >/dev/null 2>"$work/denied"
	like "$(cat "$work/denied")" "ermission denied" \
		"the same user cannot read ${secret#*/}"
done
shake
is "$protocol" TLSv1.3 "and it works"
stop "$front"

if is_root 'SSL_CHROOT'; then
	mkdir "$work/root"
	export SSL_UID=65534 SSL_GID=65534 SSL_CHROOT="$work/root"
	CAFILE="$work/ca.pem" start_front "$work/log" -s echo -- -i
	unset SSL_UID SSL_GID SSL_CHROOT
	shake -cert "$work/client.crt" -key "$work/client.key"
	like "$(block)" "'SSL_VERIFY_STATUS=OK'" "SSL_CHROOT: everything is loaded before"
	worker=$(children "$tlsd")
	for pid in "$worker" "$(children "$worker")"; do
		is "$(readlink "/proc/$pid/root")" "$work/root" "the root is changed"
	done
	stop "$front"
fi

done_testing
