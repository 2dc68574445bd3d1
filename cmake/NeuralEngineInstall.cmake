# What `cmake --install` puts where: the library with its package files, public headers, the binary, bash completion.
include(CMakePackageConfigHelpers)

# A static library passes its own dependencies on to who links it.
set(exported neural_engine)
if(NOT BUILD_SHARED_LIBS)
  list(APPEND exported ne_onnx_proto ne_dnnl ne_utf8proc ne_yaml)
endif()
install(TARGETS ${exported} EXPORT neural_engine_targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS neural_engine_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/engine/include/neural_engine" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES "${PROJECT_SOURCE_DIR}/scripts/completion.bash" RENAME neural_engine
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/neural_engine)
install(EXPORT neural_engine_targets NAMESPACE neural_engine:: FILE neural_engineTargets.cmake DESTINATION ${package_dir})
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/neural_engineConfig.cmake.in" neural_engineConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(neural_engineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/neural_engineConfig.cmake" "${PROJECT_BINARY_DIR}/neural_engineConfigVersion.cmake"
        DESTINATION ${package_dir})

# pkg-config: --static adds what a static library needs.
configure_file("${PROJECT_SOURCE_DIR}/cmake/neural_engine.pc.in" neural_engine.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/neural_engine.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
