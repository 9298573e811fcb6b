# cmake -DBUILD=... -DSOURCE=... -DTORCH_DIR=... -DCXX=... -P install_test.cmake
cmake_minimum_required(VERSION 3.25)
set(prefix ${BUILD}/install-test/prefix)
set(embed ${BUILD}/install-test/embed)
file(REMOVE_RECURSE ${BUILD}/install-test)

# Runs a command; anything but 0 ends the test with its output.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
run(${prefix}/bin/ldm --version)
run(${prefix}/bin/ldm doctor)
if(NOT out MATCHES "models +[^\n]*${prefix}/share/ldm/models")
  message(FATAL_ERROR "The installed program does not find the installed models:\n${out}")
endif()

run(${CMAKE_COMMAND} -S ${SOURCE}/examples/embed -B ${embed} -G Ninja
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${embed})

# A wrong command line and a missing model end with a sentence, not with a crash.
execute_process(COMMAND ${embed}/embed /nowhere.safetensors "a frog" ${embed}/frog.png RESULT_VARIABLE code ERROR_VARIABLE out)
if(NOT code EQUAL 1 OR NOT out MATCHES "^embed: .*nowhere.safetensors")
  message(FATAL_ERROR "embed with a missing model: exit code ${code}\n${out}")
endif()

set(model ${prefix}/share/ldm/models/emoji.safetensors)
if(EXISTS ${model})
  run(${embed}/embed ${model} "a slice of pizza" ${embed}/pizza.png)
  file(READ ${embed}/pizza.png signature LIMIT 8 HEX)
  if(NOT signature STREQUAL "89504e470d0a1a0a")
    message(FATAL_ERROR "embed wrote no PNG: ${signature}")
  endif()
endif()
file(REMOVE_RECURSE ${BUILD}/install-test)
