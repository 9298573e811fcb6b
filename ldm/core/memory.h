#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ldm {

// "512M", "4G", "2.5GiB", "300kb" or a plain number of bytes, in bytes: K, M, G and T are powers of 1024,
// whatever follows them (nothing, B or iB) and in either case. Throws kUsage, beginning with `who`, for
// anything else and for 8 EiB or more.
int64_t parse_memory(std::string_view text, std::string_view who);

// "2.5 GiB", "512 MiB", "17 bytes".
std::string format_memory(int64_t bytes);

// The bytes that this process can still take before the machine swaps or a limit stops it: the least of what
// the kernel calls available, what is left of the control group's limit, and of the address space's (ulimit
// -v). Nothing where none of them is known.
std::optional<int64_t> available_memory();

// What /proc/meminfo says is available.
std::optional<int64_t> parse_mem_available(std::string_view meminfo);

}  // namespace ldm
