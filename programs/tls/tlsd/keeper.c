/* SPDX-License-Identifier: ISC */
#include "keeper.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "context.h"
#include "session.h"
#include "system/handover.h"
#include "warm_up.h"

/* A handful of milliseconds each. */
enum { WARMED_NAMES = 32 };

static SSL_CTX *load(const struct settings *settings, struct tickets *tickets)
{
	SSL_CTX *context = context_load(settings, tickets);
	SSL_CTX *named;

	warm_up(context);
	for (unsigned i = 0; i < WARMED_NAMES; i++)
		if ((named = context_named(i))) warm_up(named);
	settings_confine(settings);
	/* What was freed would be copied by every fork. */
	malloc_trim(0);
	return context;
}

/* The child comes back from nowhere. */
static void start_session(const struct settings *settings,
			  struct tickets *tickets, SSL_CTX *context,
			  struct handover *session)
{
	pid_t child;

	tickets_rotate(tickets);
	child = fork();
	if (child == 0) {
		tickets_freeze(tickets);
		session_run(settings, context, session,
			    session->flags & HANDOVER_IMMEDIATE
				    ? SESSION_START_AND_TELL
				    : SESSION_START);
	}
	if (child < 0)
		warn("dropping connection, no TLS for %s, pid %d: %s",
		     session->client, (int)session->program, error_text(errno));
	handover_close(session);
}

void keeper_run(const struct settings *settings, struct tickets *tickets,
		int socket)
{
	SSL_CTX *context = load(settings, tickets);
	struct handover session;
	int taken;

	/* Nobody waits for sessions; they leave nothing behind. */
	signal(SIGCHLD, SIG_IGN);
	if (send(socket, "", 1, MSG_NOSIGNAL) != 1) _exit(EXIT_TRY_AGAIN);
	while ((taken = handover_receive(socket, &session)) != 0) {
		if (taken > 0)
			start_session(settings, tickets, context, &session);
		else warn("unable to take a session:");
	}
	_exit(EXIT_DONE);
}
