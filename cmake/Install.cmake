# cmake --install build --prefix DIR: the program, the library with its headers, models, configurations, and the package
# that find_package(ldm) reads. Targets: ldm::ldm (all folders), ldm::nn, ldm::io, ... (one folder each).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(LDM_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/ldm)

get_property(_folders GLOBAL PROPERTY LDM_FOLDERS)
add_library(ldm_all INTERFACE)
set_target_properties(ldm_all PROPERTIES EXPORT_NAME ldm)
add_library(ldm::ldm ALIAS ldm_all)
foreach(_folder ${_folders})
  string(REGEX REPLACE "^ldm_" "" _name ${_folder})
  set_target_properties(${_folder} PROPERTIES EXPORT_NAME ${_name})
  target_link_libraries(ldm_all INTERFACE ${_folder})
endforeach()

install(TARGETS ldm_all ${_folders} EXPORT ldm ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT ldm NAMESPACE ldm:: FILE ldm-targets.cmake DESTINATION ${LDM_PACKAGE_DIR})
install(DIRECTORY ldm DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY configs models DESTINATION ${CMAKE_INSTALL_DATADIR}/ldm)
install(FILES LICENSE NOTICE THIRD_PARTY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET ldm_cli)
  install(TARGETS ldm_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(LDM_DATA_DIR ${CMAKE_INSTALL_DATADIR})
configure_package_config_file(cmake/ldm-config.cmake.in ${CMAKE_BINARY_DIR}/ldm-config.cmake
  INSTALL_DESTINATION ${LDM_PACKAGE_DIR} PATH_VARS LDM_DATA_DIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ldm-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ldm-config.cmake ${CMAKE_BINARY_DIR}/ldm-config-version.cmake cmake/TorchWheel.cmake
  DESTINATION ${LDM_PACKAGE_DIR})
