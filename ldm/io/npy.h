#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ldm/io/strided.h"

namespace ldm {

// One array of NumPy's .npy format, versions 1 to 3: bool, integers, floats and complex64, little-endian, C
// or Fortran order. Objects (which are pickles), records and big-endian numbers are refused; the data has
// exactly the bytes that shape and type need. `data` points into `bytes`. Throws kFormat.
// Source: numpy/lib/format.py.
StridedEntry parse_npy(std::span<const std::byte> bytes, const std::string& name = "");

// The arrays of an .npz file by name ("mu" for the entry mu.npy).
struct NpzFile {
  std::vector<StridedEntry> arrays;
  std::vector<std::shared_ptr<const std::vector<std::byte>>> inflated;  // Owns what was compressed.

  const StridedEntry& at(const std::string& name) const;  // Throws kFormat.
};

// Stored arrays point into `bytes`, whose checksums are not computed; compressed ones are checked.
// Throws kFormat.
NpzFile parse_npz(std::span<const std::byte> bytes);

}  // namespace ldm
