#!/bin/sh
# sslserver with openssl's client: what it refuses to start with, what the program
# is given, the log, the signals, and who cannot read the key.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2034 # the programs' shells expand; for tls.sh
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tls.sh"
need openssl perl python3 pgrep tlsd ucspi-tls

chmod 711 "$work"
make_ca
make_certificate mx mx.example
make_certificate other other.example
make_certificate client.pem client.example
export CERTFILE="$work/mx"

# The program: does what the first line says.
cat >"$work/act" <<'ACT'
#!/bin/sh
read -r word argument
case $word in
env) env | grep -aE '^(SSL|TCP|PROTO|CERT|KEY|TLSD|UCSPITLS|CIPHERS)' |
	grep -v '^SSL_CERT_\(FILE\|DIR\)=' | sort ;;
pid) echo "$$ $PPID" ;;
id) id -u; id -g ;;
descriptors) for fd in /proc/$$/fd/*; do
	[ "$(readlink "$fd")" = "$0" ] || echo "${fd##*/}"
	done ;;
try) "$argument" 2>&1 ;;
read) for file in $argument; do cat "$file" 2>&1 | head -n 1; done ;;
echo) echo "echo $argument" ;;
idle) echo idle; cat ;;
big) head -c 20000000 /dev/zero | tr '\0' x ;;
count) echo "counted $(wc -c)" >&2 ;;
hold) echo held; while [ ! -e "$argument" ]; do sleep 0.05; done; echo released ;;
code) exit "$argument" ;;
esac
ACT
chmod 755 "$work/act"
ask() {
	printf '%s\n' "$1" | {
		shift
		secure "$@"
	}
}
log() {
	cat "$work/log"
}
# tlsd_of SERVER: its loader and its workers
tlsd_of() {
	tlsd_loader=$(pgrep -P "$1" -f -- '^sslserver .*-f [0-9]+$')
	echo "$tlsd_loader $(pgrep -P "$tlsd_loader" | tr '\n' ' ')"
}
# ended PID…: those of others may wait for init to look at them
ended() {
	for ended_pid; do
		! grep -qs '^State:.[^Z]' "/proc/$ended_pid/status" || return 1
	done
}
# ids PID…: whose processes
ids() {
	for ids_pid; do awk '/^Uid/ { print $2 }' "/proc/$ids_pid/status"; done |
		sort -u | tr '\n' ' '
}

# --- wrong use
usage='^sslserver: usage: sslserver \[ -1346'
failure() {
	failure_code=0
	failure_text=$(timeout 20 "$@" 2>&1 </dev/null) || failure_code=$?
	printf '%s\n%s\n' "$failure_text" "$failure_code"
}
like "$(failure sslserver)" "$usage" 'no arguments: the usage'
is "$(failure sslserver 0 0 | tail -n 1)" 100 'and 100'
like "$(failure sslserver -Y 0 0 true)" '^sslserver: illegal option -- Y$' 'an unknown option'
is "$(failure sslserver -T x 0 0 true | tail -n 1)" 100 '-T is a number'
is "$(failure sslserver -w 0 0 0 true | tail -n 1)" 100 'and -w, above 0'
is "$(failure sslserver -n -z 0 0 true | tail -n 1)" 100 '-z compares before the program runs: not with -n'

# --- what it does not start with
cannot() {
	cannot_name=$1 cannot_why=$2
	shift 2
	cannot_said=$(failure "$@" "$bin/sslserver" -1 127.0.0.1 0 true)
	is "$(printf '%s\n' "$cannot_said" | tail -n 1)" 111 "$cannot_name: 111"
	like "$cannot_said" "^sslserver: fatal: .*$cannot_why" 'and a line that says why'
	unlike "$cannot_said" '^[0-9]{4,}$' 'and no port'
}
cannot 'no certificate' 'CERTFILE' env -u CERTFILE
cannot 'a certificate that is not there' "$work/absent" env CERTFILE="$work/absent"
cannot 'a key of another certificate' 'key' env CERTFILE="$work/mx.crt" KEYFILE="$work/other.key"
cannot 'no key' 'key' env CERTFILE="$work/mx.crt"
make_certificate -d -1 expired old.example
cannot 'an expired certificate' 'expired' env CERTFILE="$work/expired"
cannot 'ciphers that are none' 'cipher' env CIPHERS=nonsense
mark=$((100000 + $$))
is "$(failure sslserver -w "$mark" -R -H -l x 127.0.0.1 nosuchport true | tail -n 2)" \
	'sslserver: fatal: unable to figure out port number for nosuchport
111' 'a port that is none: 111'
is "$(failure sslserver -q -R -H -l x 127.0.0.1 nosuchport true)" '
111' '-q: in silence'
is "$(failure env PATH=/nowhere "$bin/sslserver" 127.0.0.1 nosuchport true | tail -n 1)" 111 \
	'tcpserver, tlsd and ucspi-tls are found beside it'
none_is_left() {
	! pgrep -f "^sslserver .*-w $mark "
}
wait_until none_is_left
is $? 0 'no tlsd is left behind'

# --- TLS at once
start_sslserver "$work/log" -- "$work/act"
tlsd=$(tlsd_of "$server")
is "$(ask 'echo hello' -verify_hostname mx.example </dev/null | head -n 1)" \
	'echo hello' 'openssl s_client, certificate and name verified'
wait_for_line "$work/log" '^sslserver: end [0-9]+ status 0$'
pid=$(sed -n 's/^sslserver: pid \([0-9]*\) from 127.0.0.1$/\1/p' "$work/log")
like "$(log)" "^sslserver: ok $pid mx.example:127.0.0.1:$port :127.0.0.1::[0-9]+\$" \
	"tcpserver's lines have our name"
like "$(log)" "^sslserver: tls $pid accept TLSv1.3:TLS_[A-Z0-9_]+ from 127.0.0.1:[0-9]+ sni - full\$" \
	'and the session has one of its own, with the same pid'
like "$(log)" "^sslserver: end $pid status 0\$" 'whose program ended well'
said=$(ask pid)
is "${said#* }" "$server" "the program is a child of what was started"
like "$(log)" "^sslserver: tls ${said% *} accept" "with the pid of the log"
without=$(sh -c 'for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done' | tr '\n' ' ')
is "$(ask descriptors | tr '\n' ' ')" "$without" 'no descriptor of ours is left to it'
like "$(ask env)" '^PROTO=TCP$' '-e is the default: tcpserver'\''s names'
like "$(ask env)" '^TCPREMOTEIP=127.0.0.1$' 'are there'
like "$(ask env)" '^SSLREMOTEIP=127.0.0.1$' 'and those with SSL'
like "$(ask env)" '^SSL=1$' 'and SSL=1, for smtpd'
unlike "$(ask env)" '^(SSL_|CERT|KEY|TLSD|TCPSERVER|CIPHERS|SSL[A-Z]*FD)' \
	'no setting is, and without -s no SSL_ variable'
is "$(ask big | wc -c)" 20000000 '20 MB out'
(echo count; head -c 20000000 /dev/zero) |
	timeout 30 openssl s_client -connect "127.0.0.1:$port" >/dev/null 2>&1
wait_for_line "$work/log" '^counted 20000000$'
is $? 0 'and 20 MB in'
ask 'code 7' >/dev/null
wait_for_line "$work/log" '^sslserver: end [0-9]+ status 1792$'
is $? 0 "the exit code in the log is the program's"

# A client that does not speak TLS, one that goes, and their programs.
printf 'EHLO x\r\n' | tcp-talk 127.0.0.1 "$port" >/dev/null 2>&1
wait_for_line "$work/log" '^sslserver: end [0-9]+ status 28416$'
is $? 0 'no handshake: exit 111'
like "$(log)" '^sslserver: warning: dropping connection, unable to accept TLS from 127.0.0.1:[0-9]+ for pid [0-9]+: ' \
	'and a warning that says why'

# Resumption across processes.
ask 'echo' -sess_out "$work/session" -tls1_3 >/dev/null
ask 'echo' -sess_in "$work/session" -tls1_3 >/dev/null
wait_for_line "$work/log" 'accept TLSv1\.3.* resumed$'
is $? 0 'a TLS 1.3 session is resumed'
ask 'echo' -sess_out "$work/session" -tls1_2 >/dev/null
ask 'echo' -sess_in "$work/session" -tls1_2 >/dev/null
wait_for_line "$work/log" 'accept TLSv1\.2.* resumed$'
is $? 0 'so is one of TLS 1.2'
ask 'echo' -tls1_1 -cipher ALL:@SECLEVEL=0 >/dev/null
like "$(cat "$work/client")" 'alert protocol version|no protocols|unsupported protocol|protocol version' \
	'TLS 1.1 is refused'

# SIGTERM: sessions go on, then tlsd ends.
ask "hold $work/go" >"$work/held" &
holder=$!
wait_for_line "$work/held" '^held$'
kill "$server"
wait "$server"
is $? 0 'SIGTERM: exit 0'
is "$(tcp-talk 127.0.0.1 "$port" 2>&1 </dev/null | grep -c refused)" 1 'and no new clients'
touch "$work/go"
wait "$holder"
is "$(tail -n 1 "$work/held")" released 'the session went on'
# shellcheck disable=SC2086 # pids
wait_until ended $tlsd
is "$?$(echo "$tlsd" | wc -w)" 02 'and then tlsd is gone, loader and worker'

# --- options
start_sslserver "$work/log" -E -s -B 'welcome_' -- "$work/act"
said=$(ask env -servername mx.example)
like "$said" '^welcome_PROTO=SSL$|^welcome_$' '-B: a banner, inside TLS'
like "$said" 'PROTO=SSL$' '-E: PROTO is SSL'
unlike "$said" '^TCP' 'and no TCP variable is left'
like "$said" '^SSL_PROTOCOL=TLSv1.3$' '-s: the protocol'
like "$said" '^SSL_SERVER_S_DN_CN=mx.example$' 'and the certificate'
like "$said" '^SSL_TLS_SNI_SERVERNAME=mx.example$' "and the client's name for us"
stop "$server"

start_sslserver "$work/log" -s -T 1 -w 1 -Q -- "$work/act"
perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]");
	alarm 20; print $s "\x16\x03\x01"; read $s, my $x, 1; print "closed\n"' "$port" >"$work/out"
is "$(cat "$work/out")" closed '-T: a slow handshake is ended'
wait_for_line "$work/log" 'unable to accept TLS'
is $? 0 'and warned of'
ask idle >"$work/out"
is "$(cat "$work/out")" idle '-w: a session that idles is ended'
unlike "$(log)" '^sslserver: (tls|status|pid)' '-Q: no status lines'
stop "$server"

start_sslserver "$work/log" -Q -V -- "$work/act"
ask 'echo' >/dev/null
wait_for_line "$work/log" '^sslserver: tls [0-9]+ accept'
is $? 0 '-V: sessions are logged'
unlike "$(log)" '^sslserver: status' 'and clients are not'
stop "$server"

# --- client certificates
export CAFILE="$work/ca.pem" CCAFILE="$work/ca.pem"
for option in -i -m -z; do
	start_sslserver "$work/log" "$option" -s -- "$work/act"
	ask 'echo in' >"$work/out"
	is "$(cat "$work/out")" '' "$option: no certificate, no session"
	like "$(ask env -cert "$work/client.pem.crt" -key "$work/client.pem.key")" \
		'^SSL_CLIENT_S_DN_CN=client.example$' 'with one, a session'
	stop "$server"
done
unset CAFILE CCAFILE

# --- names: each has its certificate
cp "$work/mx" "$work/default"
under="env CERTFILE=$work/default CERTFILE:other.example=$work/other"
start_sslserver "$work/log" -- "$work/act"
for name in mx other OTHER; do
	ask 'echo ok' -servername "$name.example" -verify_hostname "$name.example" \
		>"$work/out"
	is "$(cat "$work/out")" 'echo ok' "SNI $name.example: its certificate"
done
ask 'echo ok' -servername third.example -verify_hostname mx.example >"$work/out"
is "$(cat "$work/out")" 'echo ok' 'another name: the default one'
wait_for_line "$work/log" 'sni other.example full$'
is $? 0 'the name is in the log'

# SIGHUP: tcpserver and tlsd begin anew, sessions go on.
rm -f "$work/go"
ask "hold $work/go" >"$work/held" &
holder=$!
wait_for_line "$work/held" '^held$'
make_certificate new new.example
mv "$work/new" "$work/default"
kill -HUP "$server"
wait_for_line "$work/log" '^sslserver: reloaded$'
is $? 0 'SIGHUP: tlsd reloads'
ask 'echo ok' -servername x -verify_hostname new.example >"$work/out"
is "$(cat "$work/out")" 'echo ok' 'a new session has the new certificate'
is "$(ask pid | cut -d ' ' -f 2)" "$server" 'from the same server'
reloads() {
	grep -c '^sslserver: reloaded$' "$work/log"
}
reloads_are() {
	[ "$(reloads)" -ge "$1" ]
}
before=$(reloads)
for round in 1 2 3 4 5; do
	kill -HUP "$server"
	wait_until reloads_are $((before + round))
	sleep 0.2       # for one more, which must not come
done
is "$(reloads)" $((before + 5)) 'SIGHUP five times: five reloads'
echo junk >"$work/bad"
mv "$work/bad" "$work/default"
kill -HUP "$server"
wait_for_line "$work/log" 'not reloaded'
ask 'echo ok' -servername x -verify_hostname new.example >"$work/out"
is "$(cat "$work/out")" 'echo ok' 'a bad file: the old certificate stays'
touch "$work/go"
wait "$holder"
is "$(tail -n 1 "$work/held")" released 'a session outlives both'
tlsd=$(tlsd_of "$server")
stop "$server"
# shellcheck disable=SC2086 # pids
wait_until ended $tlsd
is "$?" 0 'no tlsd is left behind'
under=

# Clients that come all the while.
cat >"$work/storm" <<'END'
import os, signal, socket, ssl, sys, threading
port, server = int(sys.argv[1]), int(sys.argv[2])
context = ssl.create_default_context(cafile=sys.argv[3])
good, trouble = [], []
def client():
    for _ in range(60):
        try:
            plain = socket.create_connection(('127.0.0.1', port))
            plain.settimeout(20)
            inside = context.wrap_socket(plain, server_hostname='mx.example')
            inside.sendall(b'echo ok\n')
            good.append(inside.makefile('rb').read() == b'echo ok\n')
        except OSError as error:
            trouble.append(repr(error))
        if len(good) % 40 == 0:
            os.kill(server, signal.SIGHUP)
clients = [threading.Thread(target=client) for _ in range(5)]
for one in clients:
    one.start()
for one in clients:
    one.join()
print(sum(good), trouble[:3])
END
start_sslserver "$work/log" -- "$work/act"
is "$(python3 "$work/storm" "$port" "$server" "$work/ca.pem")" '300 []' \
	'SIGHUP again and again: no client of 300 is refused, none is lost'
wait_for_line "$work/log" '^sslserver: reloaded$'
is $? 0 'while tlsd reloads'
stop "$server"

# --- a key with a password
openssl pkey -in "$work/mx.key" -aes128 -passout pass:secret -out "$work/locked.key" 2>/dev/null
chmod 600 "$work/locked.key"
printf 'secret\0' >"$work/password"
under="env CERTFILE=$work/mx.crt KEYFILE=$work/locked.key"
start_sslserver "$work/log" -3 -- "$work/act" 3<"$work/password"
is "$(ask 'echo ok')" 'echo ok' '-3: the password is read from descriptor 3'
is "$(ask descriptors | tr '\n' ' ')" "$without" \
	'which the program does not get'
stop "$server"
under=

name="the guides' softlimit is for the programs, not for tlsd"
if is_plain "$name" && is_here softlimit "$name"; then
	under='softlimit -m 6000000'
	start_sslserver "$work/log" -- "$work/act"
	is "$(ask 'echo ok')" 'echo ok' "$name"
	stop "$server"
	under=
fi

# --- rules, and banners without TLS
echo '127.:deny' | tcprules "$work/rules.cdb" "$work/rules.tmp"
start_sslserver "$work/log" -x "$work/rules.cdb" -- "$work/act"
ask 'echo in' >"$work/out"
is "$(cat "$work/out")" '' "a rule that denies"
wait_for_line "$work/log" '^sslserver: deny [0-9]+ '
is $? 0 'in the log'
stop "$server"

# --- TLS for the asking
cat >"$work/starttls" <<'ACT'
#!/usr/bin/perl
my $line = <STDIN>;
print STDERR 'policy ' . ($ENV{UCSPITLS} // 'unset') . "\n";
if ($line =~ /starttls/) {
	syswrite STDOUT, "go\n";
	open my $control, '+<&=', $ENV{SSLCTLFD} or die;
	open my $in, '<&=', $ENV{SSLREADFD} or die;
	open my $out, '>&=', $ENV{SSLWRITEFD} or die;
	syswrite $control, 'y';
	close $control;
	while (sysread $in, my $bytes, 4096) { syswrite $out, uc $bytes }
} else {
	syswrite STDOUT, "plain $line";
}
ACT
chmod 755 "$work/starttls"
UCSPITLS=
export UCSPITLS
start_sslserver "$work/log" -n -B 'plain_' -- "$work/starttls"
is "$(printf 'hello\n' | tcp-talk 127.0.0.1 "$port")" 'plain_plain hello' \
	'-n: no TLS unless the program wants it, and a banner in the clear'
wait_for_line "$work/log" '^policy $'
is $? 0 'UCSPITLS is the one of the environment'
unlike "$(log)" '^sslserver: (tls|warning)' 'and of TLS nothing is logged'
stop "$server"
unset UCSPITLS

# --- two users
if [ "$(id -u)" -eq 0 ]; then
	user=$((2000000 + 4 * $$)) # ids that own no process
	other=$((user + 2))
	chmod 755 "$work/act"
	start_sslserver "$work/log" -u "$user" -g "$((user + 1))" -- "$work/act"
	is "$(ask id | tr '\n' ' ')" "$user $((user + 1)) " '-u and -g: whom the program runs as'
	tlsd=$(tlsd_of "$server")
	# shellcheck disable=SC2086 # pids
	is "$(ids $tlsd)" "0 $user " "tlsd's worker as well, its loader not"
	said=$(ask "read $work/mx $work/mx.key$(for pid in $tlsd; do
		echo " /proc/$pid/mem /proc/$pid/environ /proc/$pid/maps /proc/$pid/fd/0"
	done | tr '\n' ' ')")
	is "$(printf '%s\n' "$said" | grep -c 'ermission denied$')" 10 \
		'the program cannot read the key, nor anything of tlsd'
	is "$(printf '%s\n' "$said" | wc -l)" 10 'not a line of it'
	cp "$work/other" "$work/new"
	mv "$work/new" "$work/mx"
	kill -HUP "$server"
	wait_for_line "$work/log" '^sslserver: reloaded$'
	is "$(ask 'echo ok' -verify_hostname other.example)" 'echo ok' \
		'SIGHUP, with the rights gone: the key is read again all the same'
	stop "$server"
	under="env SSL_UID=$other SSL_GID=$other SSL_CHROOT=$work"
	start_sslserver "$work/log" -u "$user" -g "$user" -- "$work/act"
	# shellcheck disable=SC2046 # pids
	is "$(ids $(tlsd_of "$server"))" "0 $other " 'SSL_UID: the worker has an id of its own'
	is "$(ask 'echo ok')" 'echo ok' 'and works, with SSL_CHROOT'
	stop "$server"
	under=
else
	skip 'not root' 'tlsd and the program as two users'
fi

# Nobody ends tlsd alone; but if it is gone, nothing works until both are there
# again, and a supervisor sees to that.
start_sslserver "$work/log" -- "$work/act"
kill -HUP "$server"
wait_for_line "$work/log" '^sslserver: reloaded$'
tlsd_of "$server" >"$work/tlsd"
read -r tlsd_loader _ <"$work/tlsd"
kill -KILL "$tlsd_loader"
code=0
wait_for_line "$work/log" ' has ended$' || kill -KILL "$server"
wait "$server" || code=$?
is "$code" 111 'without tlsd, sslserver ends'
like "$(log)" "^sslserver: fatal: process $tlsd_loader, a part of the service, has ended$" \
	'and says why'
done_testing
