#!/bin/sh
# ucspi-tls: the descriptors and variables it gives, what it tells tlsd and what
# it believes of what tlsd says, a tlsd that is away, and one for a session alone.
# A stub is in tlsd's place for what no honest tlsd would do.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need perl python3 openssl

unset SSL UCSPITLS SSLCTLFD SSLREADFD SSLWRITEFD CERTFILE KEYFILE CERTCHAINFILE \
	CIPHERS TLSD_FD TLSD_SOCKET SSL_UID SSL_GID SSL_CHROOT
export TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=4711 PROTO=TCP
usage='ucspi-tls: usage: ucspi-tls [ -eEisz ] [ -B banner ] [ -p policy ] program [ arg ... ]'

# run COMMAND…: output in $out, messages in $log, exit code in $code
run() {
	code=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
	out=$(cat "$work/out")
	log=$(cat "$work/err")
}
# The program of most cases: what it finds of UCSPI-TLS. The descriptors are
# looked at by their own numbers.
cat >"$work/look" <<'EOF2'
#!/bin/sh
open=
for fd in /proc/$$/fd/*; do
	[ "$(readlink "$fd")" = "$0" ] || open="$open ${fd##*/}"
done
{
	echo "look ${SSLCTLFD-unset} ${SSLREADFD-unset} ${SSLWRITEFD-unset}"
	echo "open$open"
	echo "pid $$"
	echo "variables $(env | grep -aE '^(SSL|TLSD|UCSPITLS|CERT|KEYFILE|CIPHERS|CA)' |
		grep -aEv '^SSL_CERT_(FILE|DIR)=' | sort | tr '\n' ' ')"
} >&2
EOF2
# asks BYTE [TEXT]: the program that asks for TLS, and says what it is told
cat >"$work/ask" <<'EOF2'
#!/usr/bin/perl
my ($byte, $words) = @ARGV;
sub fd { my ($mode, $name) = @_; open my $f, $mode, $ENV{$name} or die "$name: $!\n"; $f }
my ($control, $in, $out) = (fd('+<&=', 'SSLCTLFD'), fd('<&=', 'SSLREADFD'),
	fd('>&=', 'SSLWRITEFD'));
syswrite STDOUT, "220 ready\r\n";
close STDOUT;
close STDIN;
syswrite $control, $byte;
my $block = '';
if ($byte eq 'Y') {
	while ($block !~ /\0\0\z/) {
		sysread $control, $block, 8192, length $block or last;
	}
	$block =~ tr/\0/@/;
	print STDERR "block $block\n";
} else {
	my $n = sysread $control, $block, 1;
	# In one piece: a tlsd writes to the same log.
	print STDERR "control " . (defined $n ? "end" : "error $!") . "\n";
}
close $control;
syswrite $out, "inside\n";
while (sysread $in, my $bytes, 4096) { syswrite $out, $bytes }
close $out;
EOF2
chmod 755 "$work/look" "$work/ask"
run on-socket end -- "$work/look"
# What is open without us: 0, 1, 2, and what the tests were started with.
open=$(printf '%s\n' "$log" | sed -n 's/^open //p')
# has NAME EXPRESSION…: each matches a line of the log
has() {
	has_name=$1
	shift
	for has_line; do
		printf '%s\n' "$log" | grep -aEq -- "$has_line" || {
			not_ok "$has_name" "got:    $log
wanted: $has_line"
			return
		}
	done
	ok "$has_name"
}

# --- wrong use
run ucspi-tls
is "$code $log" "100 $usage" 'no program: the usage, 100'
run ucspi-tls -Z true
is "$code $log" "100 ucspi-tls: illegal option -- Z
$usage" 'an unknown option: 100'
run ucspi-tls -p '?' true
is "$code" 100 'a policy that is none: 100'
run ucspi-tls -B hello true
is "$code" 100 'a banner inside TLS, but no TLS at once: 100'
run ucspi-tls -z true
is "$code" 100 'nor can the host be compared then'
run ucspi-tls -i -p '!' true
is "$code" 100 'a policy for STARTTLS, but TLS at once: 100'

# --- for the asking
run on-socket end -- tlsd-stub wait -- sh -c 'echo "pid $$" >&2; exec "$@"' - \
	ucspi-tls "$work/look"
is "$code" 0 'delayed: the exit code is the program'\''s'
has 'one session is handed over, with five descriptors and what the log needs' \
	'^session 0 [0-9]+ 192\.0\.2\.9:4711 5$'
fds=$(printf '%s\n' "$log" | sed -n 's/^look //p')
is "$(printf '%s\n' "$fds" | tr ' ' '\n' | grep -Ec '^([3-9]|[1-9][0-9])$')" 3 \
	'three descriptors, decimal, above 2'
is "$(printf '%s\n' "$fds" | tr ' ' '\n' | sort -u | wc -l)" 3 'all different'
is "$(printf '%s\n' "$log" | sed -n 's/^open //p' | tr ' ' '\n' | sort)" \
	"$(printf '%s\n' "$open $fds" | tr ' ' '\n' | sort)" \
	'none is close-on-exec, and no other is left open'
is "$(printf '%s\n' "$log" | sed -n 's/^pid //p' | uniq | wc -l)" 1 \
	'the program has the pid that the chain began with'
is "$(printf '%s\n' "$log" | awk '$1 == "session" { print $3 }')" \
	"$(printf '%s\n' "$log" | sed -n 's/^pid //p' | sort -u)" \
	'and tlsd is told the same'
has 'the end of the program is a declined TLS' "^byte b''\$"
run on-socket 'expect=220 ready\r\n' 'send=words\n' 'expect=inside\nWORDS\n' \
	shut end -- tlsd-stub wait -- ucspi-tls "$work/ask" y
has "y: tlsd gets the byte, the program no reply" "^byte b'y'\$" '^control end$'
like "$out" '^WORDS$' 'and the text inside goes both ways'
run on-socket 'expect=220 ready\r\n' shut end -- tlsd-stub wait -- \
	ucspi-tls "$work/ask" Y
has 'Y: and the program gets the block' "^byte b'Y'\$" \
	'^block SSL_PROTOCOL=none@@$'
run on-socket 'expect=220' end -- tlsd-stub drop -- ucspi-tls "$work/ask" Y
has 'tlsd drops the session: the program sees an end, and no two NULs' '^block $'
run on-socket -p end -- tlsd-stub wait -- ucspi-tls "$work/look"
has 'the connection may be two pipes' '^session 0 .* 5$'

# --- what a stage before or behind does
run on-socket 'send=early' shut end -- tlsd-stub wait -- ucspi-tls cat
is "$out" early 'not a byte of the connection is taken'
run on-socket end -- tlsd-stub wait -- ucspi-tls sh -c \
	'exec perl -e '\''print STDERR "children " . wait() . "\n"'\'
has 'the program has no child' '^children -1$'
for fd in 0 1 2; do
	[ "$fd" = 2 ] || run on-socket end -- tlsd-stub wait -- sh -c \
		"exec ucspi-tls $work/look $fd>&-"
	has "descriptor $fd closed: none of ours is taken for it" \
		'^look ([3-9]|[1-9][0-9]) ([3-9]|[1-9][0-9]) ([3-9]|[1-9][0-9])$|not offered'
done

# --- -s, the client's name, the policy
run on-socket end -- tlsd-stub wait -- ucspi-tls -s "$work/look"
has '-s: every variable is wanted' '^session 2 '
TCPREMOTEIP=2001:db8::1
run on-socket end -- tlsd-stub wait -- ucspi-tls "$work/look"
has 'an IPv6 client is told with brackets' '^session 0 [0-9]+ \[2001:db8::1\]:4711 5$'
TCPREMOTEIP=$(printf '%0500d' 0)
run on-socket end -- tlsd-stub wait -- ucspi-tls "$work/look"
has 'a long address is cut' '^session 0 [0-9]+ 0{60,75} 5$'
unset TCPREMOTEIP TCPREMOTEPORT
run on-socket end -- tlsd-stub wait -- ucspi-tls "$work/look"
has 'an unknown client is unknown' '^session 0 [0-9]+ unknown:0 5$'
export TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=4711
run on-socket end -- tlsd-stub wait -- ucspi-tls "$work/look"
has 'without -p UCSPITLS is not set' '^variables [^U]*$'
for policy in '' '!'; do
	run on-socket end -- tlsd-stub wait -- ucspi-tls -p "$policy" "$work/look"
	has "-p '$policy' sets it" "^variables .*UCSPITLS=$policy *\$" '^session'
done
run on-socket end -- env UCSPITLS='!' tlsd-stub wait -- ucspi-tls -p '' "$work/look"
has '-p wins over the environment' '^variables .*UCSPITLS= *$'
run on-socket end -- tlsd-stub wait -- ucspi-tls -p - "$work/look"
has "-p -: no TLS, no descriptors" '^look unset unset unset$' \
	'^variables .*UCSPITLS=- *$' "^open $open\$"
unlike "$log" '^session' 'and tlsd is not asked'
run on-socket end -- env UCSPITLS=- tlsd-stub wait -- ucspi-tls "$work/look"
has "nor when a rule says so" '^look unset unset unset$' "^open $open\$"

# --- -e, -E
cat >"$work/names" <<'EOF2'
#!/bin/sh
env | grep -E '^(PROTO|(TCP|SSL)6?(LOCAL|REMOTE))' | sort | tr '\n' ' ' >>"$SAID"
echo >>"$SAID"
EOF2
chmod 755 "$work/names"
(
	export TCPLOCALIP=192.0.2.1 TCPLOCALPORT=25 TCPLOCALHOST=a TCP6REMOTEIP=b \
		SSLREMOTEINFO=old SSLREMOTEHOST=old SAID="$work/said"
	run tlsd-stub wait -- ucspi-tls "$work/names"
	run tlsd-stub wait -- ucspi-tls -e "$work/names"
	run tlsd-stub wait -- ucspi-tls -E "$work/names"
)
is "$(sed -n 1p "$work/said")" "PROTO=TCP SSLREMOTEHOST=old SSLREMOTEINFO=old TCP6REMOTEIP=b TCPLOCALHOST=a TCPLOCALIP=192.0.2.1 TCPLOCALPORT=25 TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=4711 " \
	'neither -e nor -E: the names stay'
is "$(sed -n 2p "$work/said")" "PROTO=TCP SSLLOCALHOST=a SSLLOCALIP=192.0.2.1 SSLLOCALPORT=25 SSLREMOTEIP=192.0.2.9 SSLREMOTEPORT=4711 TCP6REMOTEIP=b TCPLOCALHOST=a TCPLOCALIP=192.0.2.1 TCPLOCALPORT=25 TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=4711 " \
	'-e: both, and none is left over from before'
is "$(sed -n 3p "$work/said")" "PROTO=SSL SSLLOCALHOST=a SSLLOCALIP=192.0.2.1 SSLLOCALPORT=25 SSLREMOTEIP=192.0.2.9 SSLREMOTEPORT=4711 " \
	'-E: only SSL names'

# --- at once
run on-socket 'send=words' 'expect=WORDS' shut end -- \
	tlsd-stub 'block=\0\0' -- ucspi-tls -i sh -c 'cat; echo end'
is "$code $out" '0 WORDSend' '-i: descriptors 0 and 1 are the text inside'
has 'handed over as such' '^session 1 '
run on-socket end -- tlsd-stub 'block=\0\0' -- env UCSPITLS='!' \
	ucspi-tls -i "$work/look"
has 'no UCSPI-TLS inside, SSL says that it is on' '^look unset unset unset$' \
	"^open $open\$" '^variables SSL=1 *$'
run on-socket end -- tlsd-stub 'block=\0\0' -- ucspi-tls -i -B 'hello there ' echo world
is "$out" 'hello there world' '-B: the banner comes first'
run on-socket end -- tlsd-stub drop -- ucspi-tls -i "$work/look"
is "$code" 111 'a handshake that fails: 111'
unlike "$log" '^look' 'and the program does not run'
for block in '' '\0' 'SSL_A=1\0' 'SSL_A=1\0SSL_B' 'abc'; do
	run on-socket shut end -- tlsd-stub "block=$block" -- ucspi-tls -i "$work/look"
	is "$code" 111 "so is a block that ends early: '$block'"
done
run on-socket end -- tlsd-stub 'block=SSL_A=1\0\0' -- ucspi-tls -i "$work/look"
has 'without -s no variable is taken' '^variables SSL=1 *$'
evil='SSL_A=1\0PATH=/evil\0LD_PRELOAD=x\0SSL_UID=0\0SSL_GID=0\0SSL_CHROOT=/\0SSL_=e\0SSL_B C=1\0SSL_D\0ssl_e=1\0SSL_F=a=b\0SSLREMOTEIP=1\0=\0SSL_G=\0\0'
run on-socket end -- tlsd-stub "block=$evil" -- ucspi-tls -i -s sh -c \
	'env | grep -aE "^(SSL|LD_|ssl|PATH=/evil|=)" | grep -v "^SSL_CERT_" | sort | tr "\n" " " >&2'
has '-s: SSL_ variables of the session, and nothing else' \
	'^SSL=1 SSL_=e SSL_A=1 SSL_F=a=b SSL_G= (no more|$)'
run on-socket end -- tlsd-stub 'block=\0\0' -- env SSL_UID=1 SSL_GID=2 CERTFILE=a \
	KEYFILE=b CERTFILE:x.example=c KEYFILE:x.example=d CIPHERS=e CAFILE=f \
	TLSD_SOCKET=g SSL_CHROOT=h CERTIFICATE=kept ucspi-tls -i "$work/look"
has 'no setting of tlsd reaches the program' '^variables CERTIFICATE=kept SSL=1 *$'

# --- -z
for case in 'C.Example:0' 'other.example:111' ':111'; do
	run on-socket end -- tlsd-stub \
		"block=SSL_CLIENT_S_DN_CN=${case%:*}\\0\\0" -- \
		env TCPREMOTEHOST=c.example ucspi-tls -i -z true
	is "$code" "${case##*:}" "-z: the certificate is for '${case%:*}'"
done
has 'said in the log' "^ucspi-tls: fatal: the client's certificate is not for c.example\$"
run on-socket end -- tlsd-stub 'block=SSL_CLIENT_S_DN_CN=x\0\0' -- ucspi-tls -i -z true
is "$code" 0 'a client whose name is not known is not compared'

# --- a socket's path
run on-socket 'expect=220 ready\r\n' 'send=words\n' 'expect=inside\nWORDS\n' \
	shut end -- tlsd-stub -s "$work/socket" wait -- ucspi-tls "$work/ask" y
has 'TLSD_SOCKET: the same by a path' '^session 0 .* 5$' "^byte b'y'\$"
run on-socket 'send=words' 'expect=WORDS' shut end -- \
	tlsd-stub -s "$work/socket2" 'block=\0\0' -- ucspi-tls -i cat
is "$code $out" '0 WORDS' 'and at once'

# --- no tlsd
# away COMMAND…: with a TLSD_FD whose other end is closed
cat >"$work/away" <<'EOF2'
#!/usr/bin/perl
use Socket;
$^F = 99;
socketpair my $a, my $b, AF_UNIX, SOCK_SEQPACKET, 0 or die;
close $b;
$ENV{TLSD_FD} = fileno $a;
exec @ARGV;
EOF2
chmod 755 "$work/away"
refuses() {
	refuses_name=$1
	shift
	run on-socket 'send=x' shut end -- env UCSPITLS= "$@" ucspi-tls -p '' "$work/look"
	is "$code" 0 "$refuses_name: the program runs all the same"
	has 'with a warning' '^ucspi-tls: warning: TLS is not offered, unable to '
	has 'and no promise of TLS' '^look unset unset unset$' '^variables *$' "^open $open\$"
	run on-socket end -- "$@" ucspi-tls -p '!' "$work/look"
	is "$code" 111 'but not when TLS is a must'
	run on-socket end -- "$@" ucspi-tls -i "$work/look"
	is "$code" 111 'nor with -i'
	has 'and the log says why' '^ucspi-tls: fatal: unable to (reach tlsd|read the certificate): '
}
refuses 'tlsd is away' "$work/away"
refuses 'TLSD_FD is no number' env TLSD_FD=x
refuses 'TLSD_FD is not open' env TLSD_FD=30
refuses 'TLSD_SOCKET is not there' env TLSD_SOCKET="$work/absent"
refuses 'TLSD_SOCKET is too long' env TLSD_SOCKET="/$(printf '%0200d' 0)"
refuses 'no tlsd, no certificate' env
refuses 'no tlsd, a certificate that is not there' env CERTFILE="$work/absent"
cat >"$work/full" <<'EOF2'
#!/usr/bin/perl
use Socket;
use Fcntl;
$^F = 99;
socketpair my $a, our $b, AF_UNIX, SOCK_SEQPACKET, 0 or die;
fcntl $a, F_SETFL, O_NONBLOCK;
1 while send $a, 'x' x 1000, 0;
fcntl $a, F_SETFL, 0;
$ENV{TLSD_FD} = fileno $a;
exec @ARGV;
EOF2
chmod 755 "$work/full"
run on-socket end -- "$work/full" ucspi-tls echo hello
is "$out" hello 'a tlsd that takes nothing does not keep the client for ever'
has 'and is warned of' 'not offered, unable to reach tlsd: timed out$'

# --- a tlsd for one session
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=localhost -keyout "$work/key" -out "$work/cert" 2>/dev/null
cat "$work/key" >>"$work/cert"
chmod 600 "$work/cert"
mkdir "$work/path"
cat >"$work/path/tlsd" <<'EOF2'
#!/bin/sh
open=
for fd in 3 4 5 6 7 8 9; do
	[ ! -e "/proc/$$/fd/$fd" ] || open="$open $fd"
done
echo "tlsd $* ${CERTFILE-unset} ${UCSPITLS-unset} open$open" >&2
exec tlsd-stub "${STUB:-wait}"
EOF2
chmod 755 "$work/path/tlsd"
export CERTFILE="$work/cert"
PATH=$work/path:$PATH
run on-socket 'expect=220 ready\r\n' 'send=words\n' 'expect=inside\nWORDS\n' \
	shut end -- ucspi-tls -p '' "$work/ask" y
has 'one is started when TLS is asked for' "^tlsd -1 $work/cert unset open\$" \
	'^session 0 .* 5$' "^byte b'y'\$" '^no more sessions$'
run on-socket 'send=x' shut end -- ucspi-tls sh -c 'cat; exec perl -e '\''
	print STDERR "children " . wait() . "\n"; $SIG{CHLD} = sub { print STDERR "signal\n" };
	sleep 1'\'
is "$code $out" '0 x' 'and none when it is not'
has 'and who waits is no child of the program' '^children -1$'
unlike "$log" '^(tlsd|signal)' 'which hears nothing of it'
run on-socket 'send=words' 'expect=WORDS' shut end -- env 'STUB=block=\0\0' \
	ucspi-tls -i cat
is "$code $out" '0 WORDS' 'with -i it is started at once'
has 'in the same way' "^tlsd -1 $work/cert unset open\$" '^session 1 '
run on-socket end -- env STUB=drop ucspi-tls -i true
is "$code" 111 'and when it fails the exit is 111'
run on-socket end -- env PATH=/nowhere "$bin/ucspi-tls" -i /bin/true
is "$code" 111 'tlsd is found beside ucspi-tls, too'
has 'and not by PATH' '^tlsd: warning: .*(no TLS|unable to accept TLS)'
PATH=${PATH#*:}

# waiting PID: processes of ucspi-tls that are no longer it
waiting() {
	for comm in /proc/[0-9]*/comm; do
		[ "$(cat "$comm" 2>/dev/null)" = ucspi-tls ] || continue
		echo "${comm#/proc/}" | cut -d / -f 1
	done | sort
}
before=$(waiting)
on-socket until="$work/go" close -- ucspi-tls sh -c \
	"touch $work/runs; while [ ! -e $work/go ]; do sleep 0.05; done" &
client=$!
wait_until test -e "$work/runs"
waiter=$(waiting | while read -r pid; do
	[ "$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -c "^CERTFILE=$work/cert\$")" = 1 ] &&
		echo "$pid"
done)
like "$waiter" '^[0-9]+$' "while a session is plain, one process waits ($before before)"
if is_plain 'its memory' && [ -n "$waiter" ]; then
	private=$(awk '/^Private_(Clean|Dirty)/ { n += $2 } END { print n }' \
		"/proc/$waiter/smaps_rollup" 2>/dev/null)
	if [ "${private:-0}" -le 96 ] || is_dynamic "$bin/ucspi-tls"; then
		ok "it has $private KB of its own"
	else not_ok "it has $private KB of its own"; fi
fi
is "$(find "/proc/$waiter/fd/" -type l 2>/dev/null | wc -l)" 4 \
	'it holds its message, the log twice, and the control socket'
touch "$work/go"
wait "$client"
gone() {
	! kill -0 "$waiter" 2>/dev/null || grep -q '^State:.*Z' "/proc/$waiter/status"
}
wait_until gone
is $? 0 'and is gone with the program'

# --- few system calls
name='system calls before the exec'
if is_dynamic "$bin/ucspi-tls"; then skip 'only a static program has few' "$name"
elif is_plain "$name" && can_trace "$name"; then
	tlsd-stub wait -- strace -o "$work/trace" ucspi-tls /bin/true 2>/dev/null
	calls=$(sed -n '2,/execve/p' "$work/trace" | grep -vc execve)
	if [ "$calls" -le 26 ]; then ok "$calls $name"
	else not_ok "$calls $name" "$(cat "$work/trace")"; fi
fi
done_testing
