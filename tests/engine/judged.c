/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The random differential run, and the replay of sequences that were kept: see
 * world.h. Sequences are run in a child, so that one that crashes can be made
 * shorter too.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "rnd.h"
#include "trace_out.h"
#include "world.h"

#define RECORDS 2000u
#define SIZE (WORLD_HEADER + RECORDS * WORLD_RECORD)
/* Seconds of CPU time for one sequence, and seconds for making one shorter. */
#define HANGS 120
#define SHRINKING 120
/* Lines that say how far a random run has come. */
#define PROGRESS 10u

/* What the child tells: in memory that both have. */
struct shared {
	struct world_tally tally;
	uint64_t sequence;
	char wrong[640];
};

static struct shared *shared;
static volatile pid_t child;

/* The limit of one sequence. A loop that never ends is a fault of its own. */
static void takes_too_long(int signal)
{
	static const char text[] = "a sequence takes too long (HANGS)\n";

	(void)signal;
	memcpy(shared->wrong, text, sizeof(text));
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

/* Somebody else's limit: say how far the run has come, and leave no child behind. */
static void is_stopped(int signal)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
			 "# stopped by signal %d in sequence %" PRIu64 ", after %" PRIu64
			 " operations\n",
			 signal, shared->sequence, shared->tally.calls);

	if (child > 0)
		kill(child, SIGKILL);
	if (write(STDOUT_FILENO, text, (size_t)n) < 0)
		_exit(2);
	_exit(1);
}

static void make_sequence(uint64_t seed, uint64_t sequence, uint8_t *bytes)
{
	rnd_state = seed;
	rnd_state = rnd() + sequence;
	rnd_state = rnd();
	for (size_t at = 0; at < SIZE; at += 4) {
		uint32_t v = (uint32_t)(rnd() >> 32);

		memcpy(bytes + at, &v, sizeof(v));
	}
}

static bool run(const uint8_t *bytes, size_t size, const uint8_t *keep, FILE *print,
		FILE *log)
{
	struct world w = { .tally = &shared->tally,
			   .print = print,
			   .thorough = keep || print };
	const struct itimerval limit = { .it_value.tv_sec = HANGS };
	bool fine;

	signal(SIGPROF, takes_too_long);
	setitimer(ITIMER_PROF, &limit, NULL);
	fine = world_run(&w, bytes, size, keep, log);
	memcpy(shared->wrong, w.wrong, sizeof(w.wrong));
	return fine;
}

static const int stops[] = { SIGHUP, SIGINT, SIGTERM };

static pid_t start(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	child = pid;
	if (!pid)
		for (unsigned i = 0; i < sizeof(stops) / sizeof(*stops); i++)
			signal(stops[i], SIG_DFL);
	return pid;
}

/* Whether the child ends well; what went wrong stands in shared->wrong. */
static bool ends_well(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid) {
		perror("waitpid");
		exit(2);
	}
	child = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	if (!shared->wrong[0])
		snprintf(shared->wrong, sizeof(shared->wrong),
			 "the child ends with %s %d",
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}

/* ---- making it shorter ------------------------------------------------------------ */

/* "record 12: rule: details": the same rule, so that one fault is followed. */
static bool same_fault(const char *a, const char *b)
{
	size_t n;

	a += strncmp(a, "record", 6) ? 0 : strcspn(a, ":");
	b += strncmp(b, "record", 6) ? 0 : strcspn(b, ":");
	n = 2 + strcspn(a + (*a == ':') * 2, ":0123456789");
	return !strncmp(a, b, n);
}

static bool still_wrong(const uint8_t *bytes, size_t size, const uint8_t *keep)
{
	pid_t pid;

	shared->wrong[0] = '\0';
	pid = start();
	if (!pid) {
		/* What a crash says has been said. */
		if (!freopen("/dev/null", "w", stderr))
			_exit(0);
		_exit(!run(bytes, size, keep, NULL, NULL));
	}
	return !ends_well(pid);
}

/* Leave out halves, quarters ... as long as it stays wrong. */
static void shrink(const uint8_t *bytes, size_t size, uint8_t *keep, unsigned records)
{
	char fault[sizeof(shared->wrong)];
	time_t until = time(NULL) + SHRINKING;
	uint8_t *fewer = malloc(records);

	if (!fewer)
		exit(2);
	memcpy(fault, shared->wrong, sizeof(fault));
	for (unsigned part = records / 2; part; part /= 2) {
		for (unsigned at = 0; at < records && time(NULL) < until; at += part) {
			unsigned end = at + part < records ? at + part : records;

			if (!memchr(keep + at, 1, end - at))
				continue;
			memcpy(fewer, keep, records);
			memset(fewer + at, 0, end - at);
			if (still_wrong(bytes, size, fewer) &&
			    same_fault(fault, shared->wrong))
				memcpy(keep, fewer, records);
		}
	}
	free(fewer);
}

static void save(const char *path, const uint8_t *bytes, const uint8_t *keep,
		 unsigned records)
{
	FILE *f = fopen(path, "wb");

	if (!f) {
		perror(path);
		return;
	}
	fwrite(bytes, 1, WORLD_HEADER, f);
	for (unsigned i = 0; i < records; i++)
		if (keep[i])
			fwrite(bytes + WORLD_HEADER + i * WORLD_RECORD, 1, WORLD_RECORD,
			       f);
	if (fclose(f))
		perror(path);
}

static void explain(const uint8_t *bytes, size_t size, const char *path, const char *log)
{
	unsigned records = (unsigned)((size - WORLD_HEADER) / WORLD_RECORD);
	uint8_t *keep = malloc(records + 1);
	pid_t pid;

	if (!keep)
		exit(2);
	printf("# %s\n", shared->wrong);
	memset(keep, 1, records);
	if (still_wrong(bytes, size, keep))
		shrink(bytes, size, keep, records);
	still_wrong(bytes, size, keep);
	printf("# shorter: %s\n# --keep ", shared->wrong);
	for (unsigned i = 0, n = 0; i < records; i++)
		if (keep[i])
			printf("%s%u", n++ ? "," : "", i);
	printf("\n");
	pid = start();
	if (!pid) {
		FILE *f = log ? fopen(log, "w") : NULL;

		run(bytes, size, keep, stdout, f);
		fflush(NULL);
		_exit(0);
	}
	ends_well(pid);
	if (path)
		save(path, bytes, keep, records);
	free(keep);
}

/* ---- the two ways to use it ---------------------------------------------------- */

/* Random runs see every operation end in every way that it can. */
static bool all_seen(void)
{
	bool all = true;

	for (unsigned k = 0; k < kinds_n; k++) {
		if (!kinds[k].often)
			continue;
		const uint64_t *result = shared->tally.result[k];
		uint32_t want = kinds[k].errors << 1 | 2 | !kinds[k].point;

		printf("# %-12s", kinds[k].name);
		for (unsigned i = 0; i < WORLD_RESULTS; i++) {
			if (result[i])
				printf(" %s %" PRIu64,
				       !i     ? "more" :
				       i == 1 ? "done" :
						"error",
				       result[i]);
			if (result[i] && i > 1)
				printf(" (%d)", 1 - (int)i);
			if (want & 1u << i && !result[i]) {
				printf(" (%d) never!", 1 - (int)i);
				all = false;
			}
		}
		printf("\n");
	}
	return all;
}

static bool random_run(uint64_t seed, uint64_t operations, const char *path,
		       const char *log)
{
	static uint8_t bytes[SIZE];
	uint64_t line = operations / PROGRESS;
	bool fine = true;
	pid_t pid = start();

	if (!pid) {
		while (fine && shared->tally.calls < operations) {
			make_sequence(seed, shared->sequence, bytes);
			fine = run(bytes, SIZE, NULL, NULL, NULL);
			shared->sequence += fine;
			if (shared->tally.calls < line)
				continue;
			printf("# %" PRIu64 " operations, %" PRIu64 " sequences\n",
			       shared->tally.calls, shared->sequence);
			fflush(stdout);
			line += operations / PROGRESS;
		}
		exit(!fine);
	}
	fine = ends_well(pid);
	if (!fine) {
		printf("# --seed %" PRIu64 " --sequence %" PRIu64 "\n", seed,
		       shared->sequence);
		make_sequence(seed, shared->sequence, bytes);
		explain(bytes, SIZE, path, log);
	} else if (operations >= 250000) {
		fine = all_seen();
	}
	fine = fine && shared->tally.calls >= operations;
	printf("%sok %" PRIu64 " operations (%" PRIu64 " records, %" PRIu64
	       " sequences), seed %" PRIu64 "\n",
	       fine ? "" : "not ", shared->tally.calls, shared->tally.records,
	       shared->tally.sequences, seed);
	return fine;
}

static bool run_bytes(const uint8_t *bytes, size_t size, const char *name,
		      const char *path, const char *log)
{
	bool fine;
	pid_t pid = start();

	if (!pid)
		exit(!run(bytes, size, NULL, NULL, NULL));
	fine = ends_well(pid);
	if (!fine)
		explain(bytes, size, path, log);
	printf("%sok %s\n", fine ? "" : "not ", name);
	return fine;
}

static bool replay(const char *name, const char *path, const char *log)
{
	static uint8_t bytes[1 << 20];
	FILE *f = fopen(name, "rb");
	size_t size;

	if (!f) {
		perror(name);
		return false;
	}
	size = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return run_bytes(bytes, size, name, path, log);
}

/* Some records of one sequence, as they were named above. */
static bool again(uint64_t seed, uint64_t sequence, char *list, const char *path,
		  const char *log)
{
	static uint8_t bytes[SIZE], keep[RECORDS];
	FILE *f = log ? fopen(log, "w") : NULL;
	bool fine;

	make_sequence(seed, sequence, bytes);
	memset(keep, !list, sizeof(keep));
	for (char *s = list ? strtok(list, ",") : NULL; s; s = strtok(NULL, ","))
		if (strtoul(s, NULL, 0) < RECORDS)
			keep[strtoul(s, NULL, 0)] = 1;
	fine = run(bytes, SIZE, keep, stdout, f);
	if (f)
		fclose(f);
	if (path)
		save(path, bytes, keep, RECORDS);
	printf("%s\n", fine ? "fine" : shared->wrong);
	return fine;
}

static const char usage[] =
	"judged [--seed N] [--operations N]     random sequences\n"
	"judged --seed N --sequence N [--keep LIST]\n"
	"                                       one of them, or some of its records\n"
	"judged FILE...                         sequences that were kept\n"
	"  --save FILE   keep the shortest sequence that is wrong, or those records\n"
	"  --log FILE    the machine's events of it\n"
	"  --trace-out FILE  with --sequence: a trace of it, for s2lab judge\n"
	"  --batches     open batches, too\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "operations", required_argument, NULL, 'n' },
		{ "sequence", required_argument, NULL, 'q' },
		{ "keep", required_argument, NULL, 'k' },
		{ "save", required_argument, NULL, 'o' },
		{ "log", required_argument, NULL, 'l' },
		{ "trace-out", required_argument, NULL, 't' },
		{ "batches", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	uint64_t seed = 1, operations = 100000, sequence = UINT64_MAX;
	char *keep = NULL, *path = NULL, *log = NULL, *out = NULL, why[256];
	bool fine = true;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			operations = strtoull(optarg, NULL, 0);
			break;
		case 'q':
			sequence = strtoull(optarg, NULL, 0);
			break;
		case 'k':
			keep = optarg;
			break;
		case 'o':
			path = optarg;
			break;
		case 'l':
			log = optarg;
			break;
		case 't':
			out = optarg;
			break;
		case 'b':
			pick_batches = true;
			break;
		default:
			fputs(usage, o == 'h' ? stdout : stderr);
			return o == 'h' ? 0 : 2;
		}
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	for (unsigned i = 0; i < sizeof(stops) / sizeof(*stops); i++)
		signal(stops[i], is_stopped);
	if (out) {
		rig_trace = trace_out_open(out, TRACE_FOR_JUDGE);
		if (!rig_trace || sequence == UINT64_MAX) {
			fputs(usage, stderr);
			return 2;
		}
		fine = again(seed, sequence, keep, path, log);
		if (trace_out_close(rig_trace, why, sizeof(why))) {
			fprintf(stderr, "%s\n", why);
			return 2;
		}
		return !fine;
	}
	if (sequence != UINT64_MAX)
		return !again(seed, sequence, keep, path, log);
	printf("1..%d\n", optind < argc ? argc - optind : 1);
	if (optind == argc)
		fine = random_run(seed, operations, path, log);
	for (int i = optind; i < argc; i++)
		fine &= replay(argv[i], path, log);
	return !fine;
}
