# For tests of TLS: certificates made on the spot, and clients.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh

unset CERTFILE KEYFILE CERTCHAINFILE CAFILE CADIR CCAFILE CRLDIR DHFILE CIPHERS
unset VERIFYDEPTH OCSPFILE SSL_UID SSL_GID SSL_CHROOT TLSD_FD TLSD_SOCKET

# key_of KIND: the options of `openssl req` for a new key
key_of() {
	case $1 in
	ec) echo "-newkey ec -pkeyopt ec_paramgen_curve:P-256" ;;
	*) echo "-newkey $1" ;;
	esac
}

# make_certificate NAME KIND SUBJECT [CA [DAYS]]: $work/NAME.pem and NAME.key,
# signed by itself or by CA; KIND is ec or rsa:BITS.
make_certificate() {
	# shellcheck disable=SC2046 # a list of words
	openssl req $(key_of "$2") -nodes -keyout "$work/$1.key" \
		-out "$work/$1.csr" -subj "$3" 2>/dev/null
	if [ -n "${4:-}" ]; then
		signer="-CA $work/$4.pem -CAkey $work/$4.key"
	else
		signer="-signkey $work/$1.key"
	fi
	printf 'basicConstraints=%s\n' "CA:${6:-FALSE}" >"$work/extensions"
	# shellcheck disable=SC2086 # a list of words
	openssl x509 -req -in "$work/$1.csr" $signer -days "${5:-30}" \
		-extfile "$work/extensions" -out "$work/$1.pem" 2>/dev/null
}
# make_ca NAME SUBJECT
make_ca() {
	make_certificate "$1" ec "$2" "" 30 TRUE
}

# start_front LOG FRONT-WORD… -- TLSD-OPTION…: a tlsd and what hands connections
# to it; the loopback port goes into $port, the pid into $front, tlsd's own pid
# into $tlsd. $front_environment has words NAME=VALUE that no shell can set.
front_environment=
start_front() {
	start_log=$1
	shift
	start_words=
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		start_words="$start_words $1"
		shift
	done
	shift
	rm -f "$work/port" "$work/pid"
	# shellcheck disable=SC2086 # a list of words
	env $front_environment tls-front -p "$work/pid" $start_words \
		"$bin/tlsd" "$@" >"$work/port" 2>"$start_log" &
	front=$!
	started="$started $front"
	wait_until test -s "$work/port" || {
		echo "Bail out! tlsd did not start: $(cat "$start_log")"
		exit 1
	}
	# shellcheck disable=SC2034 # for the test
	port=$(cat "$work/port") tlsd=$(cat "$work/pid" 2>/dev/null)
}

has_shaken() {
	grep -q '^shaken' "$work/shaken" || test -e "$work/shaken-end"
}
# shake S_CLIENT-OPTION…: one session of openssl's client, in which a line is
# echoed. Its text goes to $work/shaken, the protocol into $protocol (empty: the
# line did not come back), "New" or "Reused" into $reused.
shake() {
	: >"$work/shaken"
	rm -f "$work/shaken-end"
	{
		echo shaken
		wait_until has_shaken
	} | {
		openssl s_client -connect "127.0.0.1:$port" "$@" \
			>"$work/shaken" 2>"$work/shaken-errors"
		: >"$work/shaken-end"
	}
	# shellcheck disable=SC2034 # for the test
	reused=$(sed -n 's/^\(New\|Reused\), TLSv.*/\1/p' "$work/shaken" |
		head -n 1)
	protocol=
	# shellcheck disable=SC2034 # for the test
	if grep -q '^shaken' "$work/shaken"; then
		protocol=$(sed -n 's/^[A-Z][a-z]*, \(TLSv[0-9.]*\), .*/\1/p' \
			"$work/shaken" | head -n 1)
	fi
}

# client ACTION…: tests/tls-client on $port
client() {
	tls-client "$port" "$@"
}
