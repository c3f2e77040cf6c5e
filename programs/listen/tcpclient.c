/* tcpclient: connects to a TCP server and execs a program with the connection
   on descriptors 6 (to read) and 7 (to write), who is at its ends in the
   environment, as tcpserver tells it (tcp-environ(5)). Without a program it
   relays standard input to the server and its answer to standard output.

   A host's addresses are tried in random order, each for a short while; those
   that did not answer in it are tried once more, for longer. An address as
   host needs no DNS, and nothing of the DNS is touched then.

   Exit 100 for wrong use, 111 when there is no connection to be had.

   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/ends.h"
#include "system/deadline.h"
#include "system/dns.h"
#include "system/file.h"
#include "system/net.h"
#include "system/process.h"
#include "system/relay.h"

enum {
	FIRST_SECONDS = 2, /* -T */
	MORE_SECONDS = 58,
	MOST_SECONDS = INT_MAX / 2000, /* both together, in poll's unit */
	INFO_SECONDS = 26,
	READ_FD = 6, /* UCSPI's, for clients */
	WRITE_FD = 7,
	MOST_ADDRESSES = 64, /* of one host; more are not tried */
	LITERAL_ROOM = NET_IP_TEXT + IF_NAMESIZE + sizeof "[%]",
	ADDRESS_SECONDS = 60, /* for the DNS to find the host */
	NAME_SHOWN = 256,     /* of a word of the command line in a message */
};

static const char synopsis[] =
	"tcpclient [ -46hHrRdDqQv ] [ -i localip ] [ -p localport ] "
	"[ -T timeoutconn ] [ -l localname ] [ -t timeoutinfo ] "
	"[ -I interface ] host port [ program ]";

enum verbosity { QUIET, ERRORS, STATUS };

struct settings {
	enum verbosity verbosity;
	enum net_family family; /* NET_NONE: either */
	struct net_ip local_ip;
	unsigned local_port;
	const char *interface;
	unsigned long first_seconds;
	unsigned long more_seconds;
	struct ends_wanted wanted;
	bool send_at_once;
	const char *host;
	unsigned port;
	char **program; /* NULL at its start: relay */
};

/* What a host may be reached at. */
struct addresses {
	struct net_ip list[MOST_ADDRESSES];
	bool given_up[MOST_ADDRESSES];
	size_t count;
	unsigned scope; /* of those that are link-local */
};

/* ---- messages ---- */

static _Noreturn void fail(const struct settings *settings, const char *doing)
{
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("unable to %s:", doing);
}

static _Noreturn void fail_with_word(const struct settings *settings,
				     const char *what, const char *word)
{
	char shown[NAME_SHOWN];

	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("%s %s", what, printable_text(shown, sizeof shown, word));
}

static _Noreturn void refuse_usage(const struct settings *settings)
{
	if (settings->verbosity == QUIET) exit(EXIT_NEVER);
	die_usage(synopsis);
}

static void log_no_connection(const struct settings *settings,
			      const struct net_ip *ip)
{
	const char *cause = error_text(errno);
	char text[NET_IP_TEXT];

	if (settings->verbosity == QUIET) return;
	note("unable to connect to %s port %u: %s", net_ip_format(ip, text),
	     settings->port, cause);
}

static void log_connection(const struct settings *settings,
			   const struct net_ip *ip)
{
	char text[NET_IP_TEXT];

	if (settings->verbosity != STATUS) return;
	note("connected to %s port %u", net_ip_format(ip, text),
	     settings->port);
}

/* ---- the command line ---- */

/* "x+y", or "x" for no second try. */
static void read_timeouts(struct settings *settings, char *text)
{
	char *more = strchr(text, '+');

	if (more) *more++ = '\0';
	settings->more_seconds = 0;
	if (parse_number(text, 0, MOST_SECONDS, &settings->first_seconds) < 0 ||
	    (more &&
	     parse_number(more, 0, MOST_SECONDS, &settings->more_seconds) < 0))
		refuse_usage(settings);
}

static void read_option(struct settings *settings, int letter)
{
	switch (letter) {
	case '4': settings->family = NET_IPV4; break;
	case '6': settings->family = NET_IPV6; break;
	case 'h': settings->wanted.remote_host = true; break;
	case 'H': settings->wanted.remote_host = false; break;
	case 'r': settings->wanted.remote_info = true; break;
	case 'R': settings->wanted.remote_info = false; break;
	case 'd': settings->send_at_once = false; break;
	case 'D': settings->send_at_once = true; break;
	case 'q': settings->verbosity = QUIET; break;
	case 'Q': settings->verbosity = ERRORS; break;
	case 'v': settings->verbosity = STATUS; break;
	case 'i':
		if (net_ip_parse(optarg, &settings->local_ip) < 0)
			refuse_usage(settings);
		break;
	case 'p':
		settings->local_port =
			(unsigned)option_number(letter, 0, 65535, synopsis);
		break;
	case 'l': settings->wanted.local_host = optarg; break;
	case 'I': settings->interface = optarg; break;
	case 'T': read_timeouts(settings, optarg); break;
	case 't':
		settings->wanted.info_seconds =
			option_number(letter, 0, INT_MAX, synopsis);
		break;
	default: break;
	}
}

static struct settings read_settings(int argc, char **argv)
{
	struct settings settings = { .verbosity = ERRORS,
				     .first_seconds = FIRST_SECONDS,
				     .more_seconds = MORE_SECONDS,
				     .wanted = {
					     .remote_host = true,
					     .info_seconds = INFO_SECONDS,
				     } };
	int letter;

	while ((letter = option_next(
			argc, argv, "46hHrRdDqQvi:p:l:I:T:t:", synopsis)) != -1)
		read_option(&settings, letter);
	if (argc - optind < 2) refuse_usage(&settings);
	settings.host = argv[optind];
	if (net_port_parse(argv[optind + 1], &settings.port) < 0)
		fail_with_word(&settings,
			       "unable to figure out port number for",
			       argv[optind + 1]);
	settings.program = argv + optind + 2;
	return settings;
}

/* ---- where the host is ---- */

static void add_address(const struct settings *settings,
			struct addresses *addresses, const struct net_ip *ip)
{
	enum net_family local = settings->local_ip.family;

	if (settings->family != NET_NONE && settings->family != ip->family)
		return;
	if (local != NET_NONE && local != ip->family) return;
	if (addresses->count < MOST_ADDRESSES)
		addresses->list[addresses->count++] = *ip;
}

static void add_text(const struct settings *settings,
		     struct addresses *addresses, const char *text)
{
	struct net_ip ip;

	if (net_ip_parse(text, &ip) == 0) add_address(settings, addresses, &ip);
}

static unsigned find_interface(const struct settings *settings,
			       const char *name)
{
	unsigned index = if_nametoindex(name);

	if (index == 0)
		fail_with_word(settings, "unable to find interface", name);
	return index;
}

/* An address, with brackets or without: fe80::1%eth0 with its interface. */
static bool is_literal(const struct settings *settings,
		       struct addresses *addresses)
{
	char literal[LITERAL_ROOM], *text = literal, *interface;
	size_t length = strlen(settings->host);
	struct net_ip ip;

	if (length >= sizeof literal) return false;
	memcpy(literal, settings->host, length + 1);
	if (length > 1 && literal[0] == '[' && literal[length - 1] == ']') {
		literal[length - 1] = '\0';
		text++;
	}
	interface = strchr(text, '%');
	if (interface) *interface++ = '\0';
	if (net_ip_parse(text, &ip) < 0) return false;
	if (interface) addresses->scope = find_interface(settings, interface);
	add_address(settings, addresses, &ip);
	return true;
}

/* This machine, when neither -4 nor -6 nor -i ask for the one family. */
static bool is_this_machine(const struct settings *settings,
			    struct addresses *addresses)
{
	if (strcmp(settings->host, "") != 0 && strcmp(settings->host, "0") != 0)
		return false;
	add_text(settings, addresses, "127.0.0.1");
	if (addresses->count == 0) add_text(settings, addresses, "::1");
	return true;
}

static void find_by_name(const struct settings *settings, struct dns *dns,
			 struct addresses *addresses)
{
	struct net_ip found[MOST_ADDRESSES];
	char shown[NAME_SHOWN];
	size_t count;

	switch (dns_find_addresses(dns, settings->host,
				   deadline_in(ADDRESS_SECONDS), found,
				   MOST_ADDRESSES, &count)) {
	case DNS_FOUND:
		for (size_t i = 0; i < count; i++)
			add_address(settings, addresses, &found[i]);
		return;
	case DNS_ABSENT: return;
	case DNS_FAILED: break;
	}
	if (settings->verbosity == QUIET) exit(EXIT_TRY_AGAIN);
	die_temporary("temporarily unable to figure out IP address for %s: "
		      "no answer from the DNS",
		      printable_text(shown, sizeof shown, settings->host));
}

static void find_addresses(const struct settings *settings, struct dns *dns,
			   struct addresses *addresses)
{
	if (settings->interface)
		addresses->scope =
			find_interface(settings, settings->interface);
	if (!is_this_machine(settings, addresses) &&
	    !is_literal(settings, addresses) && settings->host[0] != '[')
		find_by_name(settings, dns, addresses);
	if (addresses->count == 0)
		fail_with_word(settings, "no IP address for", settings->host);
}

/* So that the servers of one name share the load; but all of a family before
   the other, as they came: the first is the one that there is a way to. */
static void shuffle(struct addresses *addresses)
{
	unsigned char random[MOST_ADDRESSES] = { 0 };
	size_t first = 0; /* of its family */

	if (addresses->count < 2 ||
	    getrandom(random, sizeof random, GRND_NONBLOCK) < 0)
		return;
	for (size_t i = 1; i < addresses->count; i++) {
		struct net_ip moved = addresses->list[i];
		size_t j;

		if (moved.family != addresses->list[i - 1].family) first = i;
		j = first + random[i] % (i + 1 - first);
		addresses->list[i] = addresses->list[j];
		addresses->list[j] = moved;
	}
}

/* ---- connecting ---- */

static void bind_local_end(const struct settings *settings, int fd,
			   const struct addresses *addresses,
			   const struct net_ip *remote)
{
	struct net_ip any = { .family = remote->family };
	const struct net_ip *ip = &settings->local_ip;
	struct sockaddr_storage address;
	socklen_t size;
	int on = 1;

	if (ip->family == NET_NONE && settings->local_port == 0) return;
	/* A port that was just used must not be out of use for a minute. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (ip->family == NET_NONE) ip = &any;
	size = net_socket_of_ip(ip, settings->local_port, addresses->scope,
				&address);
	if (bind(fd, (const struct sockaddr *)&address, size) < 0)
		fail(settings, "bind socket");
}

/* 0 when it stands, or -1 with errno. */
static int connect_in_time(int fd, const struct sockaddr_storage *address,
			   socklen_t size, unsigned long seconds)
{
	int ready, cause;
	socklen_t cause_size = sizeof cause;

	if (connect(fd, (const struct sockaddr *)address, size) == 0) return 0;
	if (errno != EINPROGRESS) return -1;
	ready = deadline_wait(fd, POLLOUT, deadline_in(seconds));
	if (ready == 0) errno = ETIMEDOUT;
	if (ready <= 0) return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &cause_size) < 0)
		return -1;
	errno = cause;
	return cause ? -1 : 0;
}

/* The connection, which blocks, or -1 with errno. */
static int connect_to(const struct settings *settings,
		      const struct addresses *addresses,
		      const struct net_ip *ip, unsigned long seconds)
{
	struct sockaddr_storage address;
	socklen_t size = net_socket_of_ip(ip, settings->port, addresses->scope,
					  &address);
	int fd = socket(address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* A kernel without IPv6 has no sockets for it. */
	if (fd < 0 && errno == EAFNOSUPPORT) return -1;
	if (fd < 0) fail(settings, "create socket");
	bind_local_end(settings, fd, addresses, ip);
	if (connect_in_time(fd, &address, size, seconds) == 0 &&
	    fcntl(fd, F_SETFL, O_RDWR) == 0)
		return fd;
	file_close(fd);
	return -1;
}

enum round { FIRST_OF_TWO, LAST };

/* Tries each address that has not been given up. The connection, or -1. */
static int try_all(const struct settings *settings, struct addresses *addresses,
		   enum round round, unsigned long seconds)
{
	for (size_t i = 0; i < addresses->count; i++) {
		const struct net_ip *ip = &addresses->list[i];
		int fd;

		if (addresses->given_up[i]) continue;
		fd = connect_to(settings, addresses, ip, seconds);
		if (fd >= 0) {
			log_connection(settings, ip);
			return fd;
		}
		if (round == FIRST_OF_TWO && errno == ETIMEDOUT) continue;
		log_no_connection(settings, ip);
		addresses->given_up[i] = true;
	}
	return -1;
}

/* Those that were too slow in the first round get another one. */
static int connect_to_any(const struct settings *settings,
			  struct addresses *addresses)
{
	unsigned long seconds = settings->first_seconds;
	int fd = -1;

	if (addresses->count > 1 && settings->more_seconds > 0) {
		fd = try_all(settings, addresses, FIRST_OF_TWO, seconds);
		seconds = 0;
	}
	seconds += settings->more_seconds;
	if (fd < 0) fd = try_all(settings, addresses, LAST, seconds);
	if (fd < 0) exit(EXIT_TRY_AGAIN);
	return fd;
}

/* ---- a program ---- */

static void describe(const struct settings *settings, struct dns *dns, int fd)
{
	static struct ends ends;
	const char *what;

	if (ends_of_socket(fd, &ends, &what) < 0) fail(settings, what);
	ends_look_up(&ends, &settings->wanted, dns);
	if (ends_to_environment(&ends) < 0)
		fail(settings, "set the environment");
}

/* Inherited, unlike the descriptor it is made from; which may be itself. */
static int give_as(int fd, int wanted)
{
	return fd == wanted ? fcntl(fd, F_SETFD, 0) : dup2(fd, wanted);
}

static _Noreturn void run_program(const struct settings *settings, int fd)
{
	if (give_as(fd, READ_FD) < 0) fail(settings, "set up descriptor 6");
	if (give_as(fd, WRITE_FD) < 0) fail(settings, "set up descriptor 7");
	if (settings->verbosity == QUIET) {
		process_exec(settings->program, environ, getenv("PATH"));
		exit(EXIT_TRY_AGAIN);
	}
	process_run_next(settings->program);
}

/* ---- no program ---- */

struct talk {
	const struct settings *settings;
	int fd;
	int lost; /* what the server would not take: why */
	struct relay_way to_server;
	struct relay_way from_server;
};

static void end_way(struct relay_way *way)
{
	way->in = way->out = -1;
	way->end = 0;
}

/* A server that takes no more may still have something to say, and whoever
   writes our input is to know. */
static void serve_input(struct talk *talk, const struct pollfd *watched)
{
	switch (relay_step(&talk->to_server, watched)) {
	case RELAY_GOES_ON:
	case RELAY_HAS_READ: return;
	case RELAY_CANNOT_READ: fail(talk->settings, "read input");
	case RELAY_CANNOT_WRITE: talk->lost = errno; break;
	case RELAY_IS_AT_END:
		if (shutdown(talk->fd, SHUT_WR) < 0) talk->lost = errno;
		break;
	}
	close(STDIN_FILENO);
	end_way(&talk->to_server);
}

/* The other end of a standard output that is closed can tell that the server
   has said all; who sits at a terminal is told by coming back. */
static void serve_answer(struct talk *talk, const struct pollfd *watched)
{
	switch (relay_step(&talk->from_server, watched)) {
	case RELAY_GOES_ON:
	case RELAY_HAS_READ: return;
	case RELAY_CANNOT_READ: fail(talk->settings, "read from server");
	case RELAY_CANNOT_WRITE: fail(talk->settings, "write output");
	case RELAY_IS_AT_END: break;
	}
	if (close(STDOUT_FILENO) < 0) fail(talk->settings, "write output");
	end_way(&talk->from_server);
	if (isatty(STDIN_FILENO)) end_way(&talk->to_server);
}

/* The server has said all, and hangs up on what we said after it. */
static void look_for_reset(struct talk *talk, const struct pollfd *watched)
{
	if (!watched->revents) return;
	talk->lost = EPIPE;
	end_way(&talk->to_server);
}

static _Noreturn void relay(const struct settings *settings, int fd)
{
	static struct talk talk; /* too large for the stack */

	fd = relay_keep_off_standard(fd);
	if (fd < 0) fail(settings, "move descriptors");
	talk.settings = settings;
	talk.fd = talk.to_server.out = talk.from_server.in = fd;
	talk.to_server.in = STDIN_FILENO;
	talk.to_server.kind = STREAM_SOCKET;
	talk.from_server.out = STDOUT_FILENO;
	while (talk.to_server.in >= 0 || talk.from_server.in >= 0) {
		struct pollfd watched[] = { relay_watch(&talk.from_server),
					    relay_watch(&talk.to_server),
					    { .fd = fd } };
		bool has_all = talk.from_server.in < 0;

		if (poll(watched, has_all ? 3 : 2, -1) < 0) continue;
		serve_answer(&talk, &watched[0]);
		serve_input(&talk, &watched[1]);
		if (has_all && talk.to_server.in >= 0)
			look_for_reset(&talk, &watched[2]);
	}
	errno = talk.lost;
	if (talk.lost) fail(settings, "write to server");
	exit(EXIT_DONE);
}

int main(int argc, char **argv)
{
	static struct addresses addresses;
	static struct dns dns;
	struct settings settings;
	int fd, on = 1;

	program_name = "tcpclient";
	settings = read_settings(argc, argv);
	if (dns_open(&dns, getenv("DNSCACHEIP")) < 0 &&
	    settings.verbosity != QUIET)
		warn("DNSCACHEIP is no list of addresses");
	find_addresses(&settings, &dns, &addresses);
	shuffle(&addresses);
	fd = connect_to_any(&settings, &addresses);
	if (settings.send_at_once)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!*settings.program) relay(&settings, fd);
	describe(&settings, &dns, fd);
	run_program(&settings, fd);
}
