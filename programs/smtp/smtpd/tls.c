/* SPDX-License-Identifier: ISC */
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/parse.h"
#include "log.h"
#include "mail/control.h"
#include "pull_in.h"
#include "replies.h"
#include "session.h"
#include "system/deadline.h"

enum {
	NO_FD = -1,
	/* A client's certificate, and those of its issuers, are in it twice at
	   most; OpenSSL takes no more than 100 KB of them. */
	BLOCK_LIMIT = 512 * 1024,
	BLOCK_CHUNK = 8192,
};

/* Set and empty it means that there is none: nothing else is looked at. */
static const char cert_setting[] = "TLS_SERVER_CERT";

/* ---- what is there ---- */

/* -1 when the variable names no open descriptor. An open one is ours alone from
   here on: no queue program may keep a client's TLS session alive. */
static int take_fd(const char *name)
{
	int fd = parse_descriptor(getenv(name));

	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : NO_FD;
}

static bool take_descriptors(struct tls *tls)
{
	if (!getenv("SSLCTLFD")) return false;
	tls->control = take_fd("SSLCTLFD");
	tls->read = take_fd("SSLREADFD");
	tls->write = take_fd("SSLWRITEFD");
	unsetenv("SSLCTLFD");
	unsetenv("SSLREADFD");
	unsetenv("SSLWRITEFD");
	/* The protocol allows one descriptor for all, but then its end of the
	   variables could not be told from the client's first words. */
	return tls->control != NO_FD && tls->read != NO_FD &&
	       tls->write != NO_FD && tls->control != tls->read &&
	       tls->control != tls->write;
}

/* A relative path is one under the home, as in qmail. */
static void append_path(struct str *path, const char *name)
{
	if (*name != '/') str_append_text(path, CHAINMAIL_HOME "/");
	str_append_text(path, name);
}

static void append_control_path(struct str *path, const char *name)
{
	struct str control = { 0 };

	control_path(&control, name);
	append_path(path, control.data);
	str_free(&control);
}

/* The key is in the same file. */
static void forget_key(void)
{
	unsetenv("KEYFILE");
	unsetenv("CERTCHAINFILE");
}

/* The path is empty where there is none. */
static void find_certificate(struct str *path)
{
	const char *ours = getenv(cert_setting), *other = getenv("SSLCERT");
	/* tlsd's own name, beside which it has one for the key. */
	const char *tlsd = getenv("CERTFILE");

	if (ours && !*ours) return;
	if (!ours) ours = other;
	if (ours && *ours) {
		append_path(path, ours);
		forget_key();
	} else if (tlsd && *tlsd) {
		append_path(path, tlsd);
	} else {
		append_control_path(path, "servercert.pem");
		if (access(path->data, F_OK) < 0 && errno == ENOENT)
			str_clear(path);
		else forget_key();
	}
}

static bool can_read(const char *path)
{
	if (access(path, R_OK) == 0) return true;
	log_unreadable_certificate(path);
	return false;
}

static int set_ciphers(void)
{
	const char *ciphers = getenv("TLSCIPHERS");
	struct str line = { 0 };
	int result = 0;

	if (!ciphers || !*ciphers) {
		if (control_read_line("tlsserverciphers", &line) ==
		    CONTROL_FAILED) {
			log_unreadable_control("tlsserverciphers");
			return -1;
		}
		ciphers = line.data;
	}
	if (ciphers && *ciphers) result = setenv("CIPHERS", ciphers, 1);
	str_free(&line);
	return result;
}

/* The CA whose certificates clients are asked for; ucspi-tls' option that tells us
   what is in them, NULL where nobody is to be asked, or "" when they cannot be. */
static const char *set_client_ca(void)
{
	struct str path = { 0 };
	const char *option = "-s";

	append_control_path(&path, "clientca.pem");
	if (access(path.data, F_OK) < 0 && errno == ENOENT) option = NULL;
	else if (!can_read(path.data) || setenv("CCAFILE", path.data, 0) < 0)
		option = "";
	str_free(&path);
	return option;
}

/* Comes back when it cannot be had. */
static void pull_in_tls(const char *certificate, int argc, char **argv)
{
	const char *option;

	/* A tlsd that others have started reads its own. */
	if (!getenv("TLSD_FD") && !getenv("TLSD_SOCKET") &&
	    !can_read(certificate))
		return;
	option = set_client_ca();
	if ((option && !*option) || set_ciphers() < 0 ||
	    setenv("CERTFILE", certificate, 1) < 0 ||
	    /* Used up: a ucspi-tls that gives no descriptors is not asked again
	       and again. */
	    setenv(cert_setting, "", 1) < 0)
		return;
	pull_in("ucspi-tls", option, argc, argv);
	log_no_ucspi_tls();
}

static enum tls_state ask_for_descriptors(int argc, char **argv)
{
	struct str certificate = { 0 };
	bool is_there;

	find_certificate(&certificate);
	is_there = certificate.length > 0;
	if (is_there) pull_in_tls(certificate.data, argc, argv);
	str_free(&certificate);
	return is_there ? TLS_DENIED : TLS_ABSENT;
}

/* The TLS process need not wait any longer. */
static void decline(const struct tls *tls)
{
	close(tls->control);
	close(tls->read);
	close(tls->write);
}

void tls_prepare(struct session *session, int argc, char **argv)
{
	struct tls *tls = &session->tls;
	bool given = take_descriptors(tls);
	const char *policy = getenv("UCSPITLS");

	tls->required = parse_flag(getenv("FORCE_TLS")) ||
			(policy && strcmp(policy, "!") == 0);
	if (parse_flag(getenv("SSL")) || parse_flag(getenv("SMTPS")))
		tls->state = TLS_ALWAYS;
	else if (parse_flag(getenv("DENY_TLS")) ||
		 parse_flag(getenv("DISABLETLS")) ||
		 (policy && strcmp(policy, "-") == 0))
		tls->state = TLS_DENIED;
	else if (given) tls->state = TLS_OFFERED;
	else tls->state = ask_for_descriptors(argc, argv);
	unsetenv("UCSPITLS");
	if (given && tls->state != TLS_OFFERED) decline(tls);
	if (tls->required && tls->state != TLS_OFFERED &&
	    tls->state != TLS_ALWAYS) {
		log_required_tls_missing();
		session_give_up(session, REPLY_TLS_FORCED_AND_DENIED);
	}
}

bool tls_protects(const struct tls *tls)
{
	return tls->state == TLS_STARTED || tls->state == TLS_ALWAYS;
}

/* ---- STARTTLS ---- */

static _Noreturn void fail(const struct session *session, const char *what)
{
	log_tls_failed(session, what);
	exit(EXIT_NO_QUIT);
}

/* Every variable ends in a NUL, and one more NUL ends them all: of none there
   are still two. */
static bool is_complete(const struct str *block)
{
	return block->length >= 2 && block->data[block->length - 1] == '\0' &&
	       block->data[block->length - 2] == '\0';
}

static void read_variables(const struct session *session, struct tls *tls)
{
	struct str *block = &tls->variables;
	deadline end = deadline_in(session->settings.timeout);

	while (!is_complete(block)) {
		ssize_t n = deadline_wait(tls->control, POLLIN, end);

		if (n == 0) fail(session, "timeout");
		if (block->length > BLOCK_LIMIT)
			fail(session, "too many variables");
		str_reserve(block, BLOCK_CHUNK);
		if (n > 0)
			n = read(tls->control, block->data + block->length,
				 BLOCK_CHUNK);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) fail(session, error_text(errno));
		if (n == 0) fail(session, "no handshake");
		block->length += (size_t)n;
	}
}

/* Only such names as TLS servers use, or a client's certificate could set, say,
   a PATH in a server that does not look twice. */
static bool is_tls_variable(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_";

	return strncmp(text, "SSL_", 4) == 0 &&
	       text[strspn(text, allowed)] == '=';
}

/* For the queue program. They stay where they are for good. */
static void import_variables(struct str *block)
{
	size_t length;

	for (size_t at = 0; at < block->length; at += length + 1) {
		length = strlen(block->data + at);
		if (is_tls_variable(block->data + at))
			(void)putenv(block->data + at);
	}
}

static void move_connection(struct session *session, struct tls *tls)
{
	if (dup2(tls->read, STDIN_FILENO) < 0 ||
	    dup2(tls->write, STDOUT_FILENO) < 0)
		fail(session, error_text(errno));
	close(tls->read);
	close(tls->write);
	session_begin_anew(session);
}

/* The order is the protocol's: all plain words are out before the byte that
   hands the connection over, and behind it nothing plain is read or said. */
static void hand_over(struct session *session, struct tls *tls)
{
	tls->state = TLS_STARTED;
	reply(session, REPLY_TLS_READY);
	session_flush(session);
	stream_give_back(&session->in);
	if (write(tls->control, "Y", 1) != 1) fail(session, error_text(errno));
	move_connection(session, tls);
	read_variables(session, tls);
	close(tls->control);
	import_variables(&tls->variables);
}

const char *tls_start(struct session *session, const char *argument)
{
	struct tls *tls = &session->tls;

	switch (tls->state) {
	case TLS_ABSENT: return REPLY_UNIMPLEMENTED;
	case TLS_DENIED: return REPLY_TLS_DENIED;
	case TLS_STARTED: return REPLY_TLS_STARTED;
	case TLS_ALWAYS: return REPLY_TLS_ALWAYS;
	case TLS_OFFERED:
	default: break;
	}
	if (*argument) return REPLY_TLS_ARGUMENT;
	/* RFC 3207 section 4.2, and CVE-2011-0411: somebody on the way may have
	   put them there, to be obeyed as if they had come inside TLS. */
	if (session->in.start < session->in.end) {
		log_tls_failed(session, "commands behind STARTTLS");
		session_give_up(session, REPLY_TLS_PIPELINED);
	}
	hand_over(session, tls);
	return NULL;
}
