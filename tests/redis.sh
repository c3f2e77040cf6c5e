# Redis for tests, behind lib.sh: a server of one's own, never the machine's.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2154 # from lib.sh

# It may be unpacked beside the tests (scripts/with-deps) and bring libraries.
redis_folder=${REDIS:-$top/build/deps/peers/redis-server}
PATH=$PATH:$redis_folder/usr/bin
need redis-server redis-cli perl

# start_redis NAME [OPTION…]: on a free port, which goes into $redis_port, and on
# the unix socket $redis_socket; its pid into $redis_pid, its log and its files
# into $work/NAME. Nothing is saved unless the options say so.
start_redis() {
	redis_home=$work/$1
	shift
	redis_socket=$redis_home/socket
	mkdir -p "$redis_home"
	for try in 1 2 3 4 5; do
		redis_port=$(free_port)
		# A folder per try: what an earlier one logged says nothing.
		redis_log=$redis_home/log$try
		LD_LIBRARY_PATH=$redis_folder/usr/lib/redis-server \
			redis-server --port "$redis_port" \
			--bind '127.0.0.1 -::1' --unixsocket "$redis_socket" \
			--dir "$redis_home" --save '' --appendonly no \
			--daemonize no --supervised no \
			"$@" >"$redis_log" 2>&1 &
		redis_pid=$!
		wait_until redis_is_known
		grep -q -- "$redis_is_up" "$redis_log" || continue
		started="$started $redis_pid"
		return
	done
	echo "Bail out! redis did not start, $try times: $(cat "$redis_log")"
	exit 1
}
# The last words before it takes commands; while it loads, there are others.
redis_is_up='Ready to accept connections'
redis_is_known() {
	grep -q -- "$redis_is_up" "$redis_log" || ! kill -0 "$redis_pid"
}

# redis WORD…: a command to the server started last, and what it says.
redis() {
	LD_LIBRARY_PATH=$redis_folder/usr/lib/redis-server redis-cli -s "$redis_socket" "$@" 2>&1
}
