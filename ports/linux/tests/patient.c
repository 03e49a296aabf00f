// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into KVM's selftests in place of alarm(). memslot_perf_test gives each of its
 * steps ten seconds. This is much on hardware, and little in an emulator on a busy host,
 * with a kernel that checks each access. The list has its own limit for a test.
 */
unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(60 * seconds);
}
