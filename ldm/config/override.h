#pragma once

#include <string_view>

#include "ldm/config/node.h"

namespace ldm {

// Applies "model.params.linear_end=0.0205" to a tree. The value is YAML: `key=[1, 2]`, `key={a: 1}`,
// `key=null`; nothing after '=' is the empty string. Missing maps on the way are made (whether the key is
// known is read_options' matter); in a list a step is an index, one past the end appends. Throws kUsage
// without '=' or a name, for a step into a scalar, or a bad index; kFormat for a bad value. `what` leads
// these messages, and those of read_options about the value: "override 'a=1': ...".
void apply_override(Node& root, std::string_view assignment, std::string_view what = "override");

// Lays `over` on `base` as several config files on one command line: maps are merged key by key, everything
// else is replaced.
void merge_into(Node& base, const Node& over);

}  // namespace ldm
