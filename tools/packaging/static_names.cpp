// Part of the static program only. Its C library looks hosts up in /etc/hosts and by DNS; any other service
// that nsswitch.conf names would be loaded from the machine's libraries, which are made for the machine's C
// library, and can end the program.
#include <nss.h>

namespace {

[[gnu::constructor]] void look_hosts_up_without_libraries() {
  ::__nss_configure_lookup("hosts", "files dns");
}

}  // namespace
